//! `corsPolicy`: who may ask across origins.

use crate::config::duration::{GoDuration, positive};
use crate::config::istio::string_match::{At, StringMatch, text_match};
use crate::config::problems::Problems;
use crate::policy::{CorsPolicy, TextMatch};
use serde::Deserialize;
use squall_http1::is_token;
use squall_yaml::{Keyed, Spanned};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenCors {
    allow_origins: Option<Vec<Spanned<StringMatch>>>,
    allow_origin: Option<Keyed<Vec<String>>>,
    #[serde(default)]
    allow_methods: Vec<Spanned<String>>,
    #[serde(default)]
    allow_headers: Vec<Spanned<String>>,
    #[serde(default)]
    expose_headers: Vec<Spanned<String>>,
    max_age: Option<Keyed<GoDuration>>,
    allow_credentials: Option<bool>,
    unmatched_preflights: Option<UnmatchedPreflights>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum UnmatchedPreflights {
    Unspecified,
    Forward,
    Ignore,
}

const METHODS: [&str; 10] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*"];

/// What the block means. `allowOrigin`, of which each is the very origin, counts where there is no `allowOrigins`.
pub(super) fn cors(written: &WrittenCors, problems: &mut Problems<'_>) -> CorsPolicy {
    if let Some(old) = &written.allow_origin {
        problems.warning(old.key, "`allowOrigin` is deprecated", "write `allowOrigins: [{exact: ...}]`");
    }
    let mut allow_origins = Vec::new();
    for origin in written.allow_origins.iter().flatten() {
        let StringMatch { exact, prefix, regex } = &origin.value;
        let text = exact.as_ref().or(prefix.as_ref().map(|prefix| &prefix.value));
        if text.or(regex.as_ref().map(|regex| &regex.value)).is_none_or(String::is_empty) {
            problems.error(origin.place, "an origin that is empty", "`exact`, `prefix` or `regex` of an origin");
            continue;
        }
        allow_origins.push(text_match(origin, At::Part, problems));
    }
    if let (None, Some(old)) = (&written.allow_origins, &written.allow_origin) {
        allow_origins.extend(old.value.iter().map(|origin| TextMatch::exact(origin)));
    }
    for method in written.allow_methods.iter().filter(|method| !METHODS.contains(&method.value.as_str())) {
        let help = format!("one of {}", METHODS.join(", "));
        problems.error(method.place, format!("`{}` is no method that Istio knows here", method.value), help);
    }
    for name in written.allow_headers.iter().chain(&written.expose_headers).filter(|name| !is_token(&name.value)) {
        problems.error(
            name.place,
            format!("`{}` cannot be the name of a header", name.value),
            "letters, digits and dashes",
        );
    }
    let max_age = positive(written.max_age.as_ref(), "maxAge", "1s at least", problems);
    if let (Some(age), Some(written)) = (max_age, &written.max_age)
        && age.subsec_nanos() > 0
    {
        problems.error(written.key, "`maxAge` is no whole number of seconds", "as in `maxAge: 24h`");
    }
    let joined = |names: &[Spanned<String>]| names.iter().map(|name| name.value.as_str()).collect::<Vec<_>>().join(",");
    CorsPolicy {
        allow_origins,
        allow_methods: joined(&written.allow_methods),
        allow_headers: joined(&written.allow_headers),
        expose_headers: joined(&written.expose_headers),
        max_age,
        allow_credentials: written.allow_credentials,
        forward_unmatched_preflights: written.unmatched_preflights != Some(UnmatchedPreflights::Ignore),
        enabled: None,
    }
}
