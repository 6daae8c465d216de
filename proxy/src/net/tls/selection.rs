//! Which of several certificates a client is shown, by the name that it asks for. Pure.

use crate::net::certificate::Owner;

/// What is known of one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    /// Names that it is for, in lower case; `.suffix` stands for one label more.
    names: Vec<String>,
    /// Its key is one of elliptic curves, which who understands it prefers.
    curves: bool,
}

impl Shown {
    /// The hosts of a certificate; without any other name its common one.
    pub(super) fn new(owner: &Owner, curves: bool) -> Self {
        let common = owner.common_name.iter().filter(|_| owner.has_no_alt_names());
        let names = owner.dns.iter().chain(common).map(|name| match name.strip_prefix('*') {
            Some(suffix) if suffix.starts_with('.') => suffix.to_ascii_lowercase(),
            _ => name.to_ascii_lowercase(),
        });
        Self { names: names.collect(), curves }
    }
}

/// The place of the one to show; `fits` says whether the client understands its key. Of two for the same name the first counts; where
/// none is for the name, it is the first of all.
pub(super) fn select(certificates: &[Shown], asked: Option<&str>, fits: impl Fn(usize) -> bool) -> usize {
    let best = |is_for: &dyn Fn(&Shown) -> bool| {
        let mut left = (0..certificates.len()).filter(|at| is_for(&certificates[*at]) && fits(*at)).peekable();
        let first = left.peek().copied();
        left.find(|at| certificates[*at].curves).or(first)
    };
    let Some(asked) = asked.map(str::to_ascii_lowercase) else { return best(&|_| true).unwrap_or(0) };
    let suffix = asked.find('.').map(|dot| &asked[dot..]);
    let exact = best(&|shown| shown.names.contains(&asked));
    let wild = || best(&|shown| shown.names.iter().any(|name| Some(name.as_str()) == suffix));
    exact.or_else(wild).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(names: &[&str], curves: bool) -> Shown {
        let dns = names.iter().map(|name| (*name).to_owned()).collect();
        Shown::new(&Owner { dns, ..Owner::default() }, curves)
    }

    #[test]
    fn the_exact_name_counts_before_the_wildcard_and_the_first_is_for_all_others() {
        let all = [
            shown(&["first.example"], true),
            shown(&["*.shop.example"], true),
            shown(&["cart.shop.example", "web.shop.example"], true),
        ];
        for (asked, place) in [
            (Some("web.shop.example"), 2),
            (Some("Cart.Shop.Example"), 2),
            (Some("other.shop.example"), 1),
            (Some("a.other.shop.example"), 0),
            (Some("shop.example"), 0),
            (Some("example"), 0),
            (None, 0),
        ] {
            assert_eq!(select(&all, asked, |_| true), place, "{asked:?}");
        }
    }

    #[test]
    fn of_one_name_the_key_that_the_client_understands_is_taken_and_curves_are_preferred() {
        let all = [shown(&["other"], true), shown(&["shop.example"], false), shown(&["shop.example"], true)];
        let ask = |fits: [bool; 3]| select(&all, Some("shop.example"), |at| fits[at]);
        assert_eq!(ask([true, true, true]), 2);
        assert_eq!(ask([true, true, false]), 1);
        assert_eq!(ask([true, false, false]), 0);
        assert_eq!(select(&all[1..], None, |_| true), 1);
    }

    #[test]
    fn a_common_name_counts_where_there_is_no_other() {
        let mut owner = Owner { common_name: Some("shop.example".to_owned()), ..Owner::default() };
        assert_eq!(Shown::new(&owner, true).names, ["shop.example"]);
        owner.uris.push("spiffe://a".to_owned());
        assert_eq!(Shown::new(&owner, true).names, Vec::<String>::new());
    }
}
