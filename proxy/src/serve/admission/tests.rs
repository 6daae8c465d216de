use super::*;
use crate::policy::{AuthorityRules, Cidr, PathRules, RouteTable};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use squall_http1::Refusal;

fn manager() -> HttpManager {
    HttpManager::new("test", RouteTable::default())
}

fn peer(remote: &str) -> Peer {
    Peer::new(remote.parse().unwrap(), "127.0.0.1:80".parse().unwrap(), None, 0)
}

fn request(method: &str, target: &str, fields: &[(&str, &str)]) -> Request {
    let mut request = Request::new(method, target);
    fields.iter().for_each(|(name, value)| request.headers.add(name, value.as_bytes()));
    request
}

fn admitted(manager: &HttpManager, request: &mut Request) -> Result<Admitted, Failure> {
    admit(manager, &peer("10.0.0.1:1000"), request, &mut ChaCha8Rng::seed_from_u64(1))
}

fn field<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    request.headers.get_str(name)
}

#[test]
fn a_request_needs_one_good_authority() {
    for (hosts, expected) in [
        (&[][..], Some(Failure::MissingHost)),
        (&[""], Some(Failure::MissingHost)),
        (&["a", "b"], Some(Failure::MissingHost)),
        (&["user@cart"], Some(Failure::BadAuthority)),
        (&["cart/x"], Some(Failure::BadAuthority)),
        (&["cart"], None),
        (&["[::1]:80"], None),
    ] {
        let fields: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
        assert_eq!(admitted(&manager(), &mut request("GET", "/", &fields)).err(), expected, "{hosts:?}");
    }
}

#[test]
fn the_host_of_an_absolute_target_goes_before_the_field() {
    let mut asked = request("GET", "http://shop:8080/a?b", &[("host", "cart")]);
    admitted(&manager(), &mut asked).unwrap();
    assert_eq!((field(&asked, "host"), asked.target()), (Some("shop:8080"), "/a?b"));
    let mut bare = request("GET", "HTTP://shop?x", &[("host", "cart")]);
    admitted(&manager(), &mut bare).unwrap();
    assert_eq!((field(&bare, "host"), bare.target()), (Some("shop"), "/?x"));
    for bad in ["ftp://shop/", "shop", "*"] {
        let told = admitted(&manager(), &mut request("GET", bad, &[("host", "cart")]));
        assert_eq!(told.err(), Some(Failure::BadTarget), "{bad}");
    }
    let star = admitted(&manager(), &mut request("OPTIONS", "*", &[("host", "cart")]));
    assert_eq!(star.err(), Some(Failure::BadTarget));
}

#[test]
fn what_is_asked_to_switch_to_is_found_and_an_offer_of_h2c_passed_over() {
    let fields = [("host", "cart"), ("connection", "Upgrade"), ("upgrade", "WebSocket")];
    let mut asked = request("GET", "/", &fields);
    assert_eq!(admitted(&manager(), &mut asked).unwrap().upgrade.as_deref(), Some("websocket"));
    assert_eq!(field(&asked, "upgrade"), Some("websocket"));
    let fields =
        [("host", "cart"), ("connection", "Upgrade, HTTP2-Settings"), ("upgrade", "h2c"), ("http2-settings", "x")];
    let mut offered = request("GET", "/", &fields);
    assert_eq!(admitted(&manager(), &mut offered).unwrap().upgrade, None);
    assert_eq!((field(&offered, "upgrade"), field(&offered, "http2-settings")), (None, None));
    let mut connect = request("CONNECT", "shop:443", &[("host", "other")]);
    assert_eq!(admitted(&manager(), &mut connect).unwrap().upgrade.as_deref(), Some("connect"));
    assert_eq!(field(&connect, "host"), Some("shop:443"));
    let told = admitted(&manager(), &mut request("CONNECT", "shop:443", &[("content-length", "3")]));
    assert_eq!(told.err(), Some(Failure::Refused(Refusal::Syntax)));
}

#[test]
fn ports_and_dots_of_the_authority_are_taken_away_as_asked() {
    let host = |strip_port, strip_trailing_dot, host: &str| {
        let manager = HttpManager { authority: AuthorityRules { strip_port, strip_trailing_dot }, ..manager() };
        let mut asked = request("GET", "/", &[("host", host)]);
        admitted(&manager, &mut asked).unwrap();
        field(&asked, "host").unwrap().to_owned()
    };
    assert_eq!(host(StripPort::Never, false, "cart.:80"), "cart.:80");
    assert_eq!(host(StripPort::Matching, false, "cart:80"), "cart");
    assert_eq!(host(StripPort::Matching, false, "cart:81"), "cart:81");
    assert_eq!(host(StripPort::Any, false, "cart:81"), "cart");
    assert_eq!(host(StripPort::Never, true, "cart.:81"), "cart:81");
}

#[test]
fn a_fragment_and_a_broken_escape_are_refused_where_paths_are_normalised() {
    let manager = HttpManager { paths: PathRules { normalize: true, ..PathRules::default() }, ..manager() };
    for bad in ["/a#b", "/%zz"] {
        let told = admitted(&manager, &mut request("GET", bad, &[("host", "cart")]));
        assert_eq!(told.err(), Some(Failure::PathNormalization), "{bad}");
    }
    let mut asked = request("GET", "/a/../b", &[("host", "cart")]);
    admitted(&manager, &mut asked).unwrap();
    assert_eq!(asked.target(), "/b");
}

#[test]
fn fields_with_underscores_stay_go_or_are_refused() {
    let told = |underscores| {
        let manager = HttpManager { paths: PathRules { underscores, ..PathRules::default() }, ..manager() };
        let mut asked = request("GET", "/", &[("host", "cart"), ("x_y", "1")]);
        admitted(&manager, &mut asked).map(|_| field(&asked, "x_y").is_some())
    };
    assert_eq!(told(Underscores::Allow), Ok(true));
    assert_eq!(told(Underscores::Drop), Ok(false));
    assert_eq!(told(Underscores::Reject), Err(Failure::Underscore));
}

fn by(rules: ClientAddress, fields: &[(&str, &str)]) -> (Admitted, Request) {
    let manager = HttpManager { client_address: rules, ..manager() };
    let mut asked = request("GET", "/", &[&[("host", "cart")], fields].concat());
    let admitted = admitted(&manager, &mut asked).unwrap();
    (admitted, asked)
}

fn ip(admitted: &Admitted) -> String {
    admitted.client.unwrap().ip().to_string()
}

#[test]
fn in_the_mesh_the_client_is_the_last_that_was_forwarded_and_the_field_stays() {
    let forwarded = [("x-forwarded-for", "1.1.1.1, 2.2.2.2")];
    let (told, asked) = by(ClientAddress::default(), &forwarded);
    assert_eq!((ip(&told).as_str(), field(&asked, "x-forwarded-for")), ("2.2.2.2", Some("1.1.1.1, 2.2.2.2")));
    let (told, _) = by(ClientAddress { trusted_hops: 1, ..ClientAddress::default() }, &forwarded);
    assert_eq!(ip(&told), "1.1.1.1");
    let (told, asked) = by(ClientAddress::default(), &[]);
    assert_eq!((ip(&told).as_str(), field(&asked, "x-forwarded-for")), ("10.0.0.1", None));
    assert_eq!(field(&asked, "x-forwarded-proto"), Some("http"));
}

#[test]
fn at_the_edge_the_client_is_the_peer_and_is_added() {
    let edge = || ClientAddress { use_remote: true, ..ClientAddress::default() };
    let fields = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https"), ("x-request-id", "mine")];
    let (told, asked) = by(edge(), &fields);
    assert_eq!((ip(&told).as_str(), field(&asked, "x-forwarded-for")), ("10.0.0.1", Some("1.1.1.1,10.0.0.1")));
    assert_eq!(field(&asked, "x-forwarded-proto"), Some("http"));
    assert_eq!(field(&asked, "x-envoy-external-address"), Some("10.0.0.1"));
    assert_ne!(field(&asked, "x-request-id"), Some("mine"));
    let (told, _) = by(ClientAddress { trusted_hops: 1, ..edge() }, &fields);
    assert_eq!(ip(&told), "1.1.1.1");
    let (_, asked) = by(ClientAddress { skip_append: true, append_port: true, ..edge() }, &fields);
    assert_eq!((field(&asked, "x-forwarded-for"), field(&asked, "x-forwarded-port")), (Some("1.1.1.1"), Some("80")));
}

#[test]
fn only_callers_from_inside_keep_their_control_fields() {
    let control = [("x-envoy-retry-on", "5xx"), ("x-envoy-upstream-rq-timeout-ms", "5"), ("x-envoy-internal", "true")];
    let (told, asked) = by(ClientAddress::default(), &control);
    assert!(!told.internal && control.iter().all(|(name, _)| field(&asked, name).is_none()));
    let internal = vec![Cidr { address: "10.0.0.0".parse().unwrap(), prefix: 8 }];
    let inside = ClientAddress { internal: internal.clone(), ..ClientAddress::default() };
    let (told, asked) = by(inside, &[&control[..], &[("x-forwarded-for", "10.1.1.1")]].concat());
    assert!(told.internal);
    assert_eq!((field(&asked, "x-envoy-retry-on"), field(&asked, "x-envoy-internal")), (Some("5xx"), Some("true")));
    let edge = ClientAddress { internal, use_remote: true, ..ClientAddress::default() };
    assert!(by(edge.clone(), &[]).0.internal);
    assert!(!by(edge, &[("x-forwarded-for", "10.1.1.1")]).0.internal);
}

#[test]
fn an_id_is_made_where_there_is_none_and_kept_where_there_is_one() {
    let mut asked = request("GET", "/", &[("host", "cart")]);
    admitted(&manager(), &mut asked).unwrap();
    let id = field(&asked, "x-request-id").unwrap().to_owned();
    assert_eq!((id.len(), &id[14..15], id.matches('-').count()), (36, "4", 4));
    let mut own = request("GET", "/", &[("host", "cart"), ("x-request-id", "mine")]);
    admitted(&manager(), &mut own).unwrap();
    assert_eq!(field(&own, "x-request-id"), Some("mine"));
}

#[test]
fn an_old_version_is_refused_unless_it_is_accepted() {
    let old = || {
        let mut asked = request("GET", "/", &[]);
        asked.version = Version::Http10;
        asked
    };
    assert_eq!(admitted(&manager(), &mut old()).err(), Some(Failure::LowVersion));
    let mut accepting = manager();
    accepting.http1.accept_http_10 = true;
    accepting.http1.default_host = Some("cart".to_owned());
    let mut asked = old();
    assert!(admitted(&accepting, &mut asked).is_ok());
    assert_eq!(field(&asked, "host"), Some("cart"));
}
