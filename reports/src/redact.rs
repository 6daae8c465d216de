//! Secrets, taken out of texts before they are written anywhere.
//!
//! What looks like a secret is taken out by its name (`Authorization: ...`, `DB_PASSWORD=...`, `--token ...`) or its form (passwords
//! in URLs, private keys, tokens of known make). What is known to be one, the value of a variable of the environment or of a
//! request's field, is taken out wherever it stands.

use regex::{Captures, Regex};
use std::sync::LazyLock;

/// What stands in place of a secret.
pub const REDACTED: &str = "[redacted]";

/// Known secrets shorter than this would take common words out of every text.
const SHORTEST: usize = 5;

/// Endings of names whose values are secret.
const NAMES: &str = "(?:authorization|cookie|token|secret|password|passwd|passphrase|pwd|credentials?|(?:api|private|access|secret|encryption|signing)[-_]?key)";

/// Fields of requests whose values say nothing about anybody.
const PLAIN_FIELDS: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-type",
    "date",
    "expect",
    "host",
    "if-match",
    "if-none-match",
    "origin",
    "pragma",
    "range",
    "te",
    "traceparent",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-envoy-attempt-count",
    "x-request-id",
];

/// True for a name whose value is a secret: `Authorization`, `GITHUB_TOKEN`, `x-api-key`.
pub fn is_secret_name(name: &str) -> bool {
    static NAME: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("(?i){NAMES}$")));
    NAME.is_match(name)
}

/// True for a field of a request that may be shown with its value.
pub fn is_plain_field(name: &str) -> bool {
    PLAIN_FIELDS.iter().any(|plain| plain.eq_ignore_ascii_case(name))
}

/// Takes secrets out of texts.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    /// Longest first, so that one that holds another goes as a whole.
    values: Vec<String>,
    fields: Vec<(Regex, usize)>,
}

impl Redactor {
    /// Takes out, besides what looks like a secret, these values wherever they stand.
    pub fn knowing(values: impl IntoIterator<Item = String>) -> Self {
        let mut values: Vec<_> = values.into_iter().filter(|value| value.trim().len() >= SHORTEST).collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values.dedup();
        Self { values, fields: Vec::new() }
    }

    /// Takes out this value where it stands behind this name: a field of a request that is not known to be harmless.
    pub fn and_field(mut self, name: &str, value: &str) -> Self {
        if !value.is_empty() {
            let field = format!(r#"(?i)({}["']?\s*[:=]\s*["']?)({})"#, regex::escape(name), regex::escape(value));
            self.fields.push((pattern(&field), 1));
        }
        self
    }

    /// The text without secrets.
    pub fn text(&self, text: &str) -> String {
        let mut lines = Vec::new();
        let mut hidden = Hidden::Nothing;
        for line in text.split('\n') {
            hidden = hidden.after(line);
            match hidden {
                Hidden::Nothing => lines.push(by_form(&by_name(line))),
                Hidden::Block { first: true, .. } => lines.push(line.to_owned()),
                Hidden::Block { .. } if line.trim().is_empty() => lines.push(line.to_owned()),
                Hidden::Block { .. } | Hidden::Key | Hidden::KeyEnd => lines.push(indented(line)),
            }
        }
        let mut text = lines.join("\n");
        for (field, group) in &self.fields {
            text =
                field.replace_all(&text, |found: &Captures<'_>| format!("{}{REDACTED}", &found[*group])).into_owned();
        }
        for value in &self.values {
            text = text.replace(value.as_str(), REDACTED);
        }
        text
    }

    /// The words of a command line without secrets, also those that follow their option as a word of their own.
    pub fn command(&self, words: &[String]) -> Vec<String> {
        let mut secret = false;
        let mut safe = Vec::new();
        for word in words {
            let follows = std::mem::replace(&mut secret, word.starts_with('-') && is_secret_name(word));
            safe.push(if follows { REDACTED.to_owned() } else { self.text(word) });
        }
        safe
    }
}

/// What the lines of a text are hidden for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Hidden {
    Nothing,
    /// The lines of a private key.
    Key,
    /// Its last line.
    KeyEnd,
    /// The lines of a YAML block scalar, indented deeper than its key.
    Block {
        indent: usize,
        first: bool,
    },
}

impl Hidden {
    /// What hides this line, given what hid the one before.
    fn after(self, line: &str) -> Self {
        static BLOCK: LazyLock<Regex> = LazyLock::new(|| {
            pattern(&format!(r#"(?i)^(\s*)(?:- )?["']?[\w.\-/]*{NAMES}["']?\s*:\s*[|>][-+0-9]*\s*$"#))
        });
        static ENDS: LazyLock<Regex> = LazyLock::new(|| pattern("-----END [A-Z0-9 ]*PRIVATE KEY-----"));
        match self {
            Self::Key if ENDS.is_match(line) => return Self::KeyEnd,
            Self::Block { indent, .. } if line.trim().is_empty() || indent_of(line) > indent => {
                return Self::Block { indent, first: false };
            }
            _ => {}
        }
        let in_key = self == Self::Key;
        if line.contains("PRIVATE KEY-----") && line.contains("-----BEGIN") {
            return Self::Key;
        }
        if in_key
            && !line.trim().is_empty()
            && line.trim().chars().all(|c| c.is_ascii_alphanumeric() || "+/=-".contains(c))
        {
            return Self::Key;
        }
        match BLOCK.captures(line) {
            Some(found) => Self::Block { indent: found[1].len(), first: true },
            None => Self::Nothing,
        }
    }
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn indented(line: &str) -> String {
    format!("{}{REDACTED}", &line[..indent_of(line)])
}

/// Values that stand behind a name: to the end of the line where the name begins it, to the next comma or bracket elsewhere.
fn by_name(line: &str) -> String {
    static NAMED: LazyLock<Regex> = LazyLock::new(|| {
        pattern(&format!(
            r#"(?ix) (?P<lead> ^\s*(?:-\s+)? )? (?P<name> ["']? [\w.\-\[\]]* {NAMES} ["']? \]? \s* [:=] \s* ) (?P<value> "(?:[^"\\]|\\.)*" | '[^']*' | [^\s,&}}\]{{\[] [^,&}}\]]* )"#
        ))
    });
    static OPTION: LazyLock<Regex> = LazyLock::new(|| {
        pattern(&format!(r#"(?i)(--?[\w-]*{NAMES}["']?(?:\s*,\s*["']?|\s+["']?))([^\s,\]"'-][^\s,\]"']*)"#))
    });
    let line = NAMED.replace_all(line, |found: &Captures<'_>| {
        let (name, value) = (&found["name"], &found["value"]);
        // A variable's name is no secret, and neither is the comment behind.
        let kept = value.find(" #").map_or("", |at| &value[at..]);
        let lead = found.name("lead").map_or("", |lead| lead.as_str());
        format!("{lead}{name}{REDACTED}{kept}")
    });
    let line = rest_of_line(&line);
    OPTION.replace_all(&line, format!("${{1}}{REDACTED}")).into_owned()
}

/// A plain value that fills its line may hold commas and brackets: what is left of it behind the first of them goes too.
fn rest_of_line(line: &str) -> String {
    static BEGUN: LazyLock<Regex> = LazyLock::new(|| {
        pattern(&format!(
            r#"(?i)^(\s*(?:-\s+)?["']?[\w.\-\[\]/]*{NAMES}["']?\]?\s*[:=]\s*\[redacted\])[^#]*?(\s+#.*)?$"#
        ))
    });
    BEGUN.replace(line, "${1}${2}").into_owned()
}

/// Secrets known by how they look.
fn by_form(line: &str) -> String {
    static USER_INFO: LazyLock<Regex> =
        LazyLock::new(|| pattern(r#"(?i)([a-z][a-z0-9+.\-]*://)[^/\s"'<>@]+(?:@[^/\s"'<>@]+)*@"#));
    static BEARER: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r"(?i)\b(bearer\s+)([a-z0-9._~+/=\-]*[0-9.][a-z0-9._~+/=\-]{7,}|[a-z0-9._~+/=\-]{20,})")
    });
    static TOKENS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_\-]{20,}|xox[abpr]-[A-Za-z0-9\-]{10,}|AKIA[0-9A-Z]{16}|sk_live_[A-Za-z0-9]{10,}|eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*)",
        )
    });
    let line = USER_INFO.replace_all(line, format!("${{1}}{REDACTED}@"));
    let line = BEARER.replace_all(&line, format!("${{1}}{REDACTED}"));
    TOKENS.replace_all(&line, REDACTED).into_owned()
}

/// The patterns of this file are literals, and what is put into them is escaped.
#[expect(clippy::expect_used, reason = "a wrong literal is found by the first test")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of ours")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_behind_their_names_are_taken_out() {
        for (text, safe) in [
            ("Authorization: Bearer s3cr3t", "Authorization: [redacted]"),
            (
                "headers: {authorization: \"Bearer s3cr3t\", accept: '*/*'}",
                "headers: {authorization: [redacted], accept: '*/*'}",
            ),
            ("  Cookie: a=s3cr3t; b=s3cr3t, c=s3cr3t", "  Cookie: [redacted]"),
            ("env: {DB_PASSWORD: s3cr3t, MODE: fast}", "env: {DB_PASSWORD: [redacted], MODE: fast}"),
            ("  - x-api-key: 's3,cr3t' # of the shop", "  - x-api-key: [redacted] # of the shop"),
            ("load.request.headers.x-auth-token=s3c,r3t", "load.request.headers.x-auth-token=[redacted]"),
            ("GET /?access_token=s3cr3t&page=2", "GET /?access_token=[redacted]&page=2"),
            ("run: [./cart, --password, s3cr3t, --port, 80]", "run: [./cart, --password, [redacted], --port, 80]"),
            ("./cart --api-key s3cr3t --port 80", "./cart --api-key [redacted] --port 80"),
            ("password: |\n  s3cr3t\n\n  s3cr3t\nnext: 1", "password: |\n  [redacted]\n\n  [redacted]\nnext: 1"),
            ("client_secret: pa}s3cr3t,[x", "client_secret: [redacted]"),
        ] {
            assert_eq!(Redactor::default().text(text), safe, "{text}");
        }
    }

    #[test]
    fn secrets_are_known_by_their_form() {
        for (text, safe) in [
            ("postgres://user:s3cr3t@db:5432/x", "postgres://[redacted]@db:5432/x"),
            ("got https://s3c@r3t@host/, then", "got https://[redacted]@host/, then"),
            ("sent Bearer abc.def-s3cr3t to it", "sent Bearer [redacted] to it"),
            ("ghp_0123456789abcdefghijABCDEFGHIJ", "[redacted]"),
            (
                "a -----BEGIN RSA PRIVATE KEY-----\nMIIs3cr3t+/=\n-----END RSA PRIVATE KEY-----\nb",
                "[redacted]\n[redacted]\n[redacted]\nb",
            ),
        ] {
            assert_eq!(Redactor::default().text(text), safe, "{text}");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "retryBudget: {tokens: 5, minRetryConcurrency: 3}",
            "secretName: cart-tls",
            "consistentHash: {httpCookie: {name: user, ttl: 0s}}",
            "authorization: {from-env: TOKEN}",
            "http://127.0.0.1:8080/a@b",
            "success: \">= 99.9%\"",
            "the bearer of bad news, and basic things",
            "metadata: {name: cart}",
            "  max-tokens: 12",
        ] {
            assert_eq!(Redactor::default().text(text), text);
        }
    }

    #[test]
    fn known_values_go_wherever_they_stand() {
        let redactor = Redactor::knowing(["hunter22".to_owned(), "hunter22-long".to_owned(), "abc".to_owned()]);
        assert_eq!(redactor.text("x hunter22-long y hunter22z abc"), "x [redacted] y [redacted]z abc");
        let redactor = Redactor::default().and_field("x-user", "alice");
        assert_eq!(redactor.text("headers: {x-user: alice}, alice"), "headers: {x-user: [redacted]}, alice");
    }

    #[test]
    fn options_hide_the_word_that_follows() {
        let words = ["squall", "run", "--set", "a.token=s3cr3t", "--password", "s3cr3t", "x"].map(str::to_owned);
        let safe = Redactor::default().command(&words);
        assert_eq!(safe, ["squall", "run", "--set", "a.token=[redacted]", "--password", "[redacted]", "x"]);
    }
}
