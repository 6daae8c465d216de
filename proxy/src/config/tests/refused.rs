//! What Istio's webhook refuses is refused here, with its place and what to write.

use super::*;

const TO: &str = "route: [{destination: {host: a}}]";

fn service(spec: &str) -> String {
    istio("VirtualService", spec)
}

#[test]
fn of_a_virtual_service() {
    let with = |more: &str| service(&format!("{{{more}, http: [{{{TO}}}]}}"));
    check_refused(&[
        (service("{hosts: [cart]}"), "there is no rule"),
        (with("hosts: ['*']"), "only for gateways"),
        (with("hosts: ['*'], gateways: [edge, mesh]"), "only for gateways"),
        (with("hosts: [a_b]"), "`a_b` is no host name"),
        (with("hosts: ['a.*.com']"), "is no host name"),
        (with("hosts: [a.com, a.com]"), "mean the same hosts"),
        (with("hosts: ['*.com', A.com]"), "4:25 `*.com` and `A.com` mean the same hosts"),
        (with("hosts: [cart], gateways: [a/b/c]"), "`b/c`"),
        (with("hosts: [cart], gateways: [./b]"), "`.` of `./b`"),
        (with("hosts: [cart], gateways: [a_b]"), "no host name"),
        (with("hosts: [cart], exportTo: [a, a]"), "twice"),
        (with("hosts: [cart], exportTo: [default, .]"), "twice"),
        (with("hosts: [cart], exportTo: ['*', a]"), "stands alone"),
        (with("hosts: [cart], exportTo: ['~']"), "is no namespace"),
        (with("gateways: [mesh]"), "a delegate has no `gateways`"),
        (service(&format!("{{tcp: [{{{TO}}}]}}")), "a delegate has no `tcp`"),
        (service(&format!("{{tls: [{{match: [{{sniHosts: [a]}}], {TO}}}]}}")), "a delegate has no `tls`"),
        (service("{http: [{delegate: {name: a}}]}"), "a delegate cannot delegate again"),
    ]);
    assert_eq!(errors(&with("hosts: ['*'], gateways: [edge]")), Vec::<String>::new());
    let generated = "outbound_.80_._.cart.shop.svc.cluster.local";
    let tls =
        format!("{{hosts: [{generated}], gateways: [edge], tls: [{{match: [{{sniHosts: [{generated}]}}], {TO}}}]}}");
    assert_eq!(errors(&service(&tls)), Vec::<String>::new());
    assert_eq!(errors(&with("hosts: [10.0.0.1, 'fe80::1']")), Vec::<String>::new());
}

#[test]
fn of_an_action() {
    check_refused(&[
        (rule("match: [{uri: {prefix: /}}]"), "nothing is said of what becomes of the request"),
        (rule("route: []"), "nothing is said"),
        (rule(&format!("{TO}, redirect: {{uri: /}}")), "exactly one of"),
        (rule(&format!("{TO}, directResponse: {{status: 200}}")), "not `route` beside `directResponse`"),
        (rule("redirect: {uri: /}, directResponse: {status: 200}"), "exactly one of"),
        (rule(&format!("{TO}, delegate: {{name: a}}")), "exactly one of"),
        (rule("redirect: {uri: /}, fault: {abort: {httpStatus: 503}}"), "refuses `fault` beside `redirect`"),
        (rule("directResponse: {status: 200}, rewrite: {uri: /}"), "refuses `rewrite` beside `directResponse`"),
        (rule("route: [{destination: {host: '*'}}]"), "`*` is no host of its own"),
        (rule("route: [{destination: {host: a b}}]"), "is no host name"),
        (rule("route: [{destination: {host: ''}}]"), "a name is missing"),
        (rule("route: [{weight: 1}]"), "`destination` is missing"),
        (rule("route: [{destination: {host: a, subset: V_1}}]"), "no name of a subset"),
        (rule("route: [{destination: {host: a, port: {number: 0}}}]"), "0 is no port"),
        (rule("route: [{destination: {host: a, port: {number: 65536}}}]"), "65536 is no port"),
        (rule("route: [{destination: {host: a}, weight: -1}]"), "-1 is no count"),
        (
            rule("route: [{destination: {host: a}, weight: 0}, {destination: {host: b}}]"),
            "4:31 no destination of this rule has a weight",
        ),
        (rule("redirect: {}"), "points to where it came from"),
        (rule("redirect: {uri: /a, prefixRewrite: /b}"), "only one of `uri` and `prefixRewrite`"),
        (rule("match: [{uri: {exact: /a}}], redirect: {prefixRewrite: /b}"), "needs a prefix to replace"),
        (rule("redirect: {uri: /, scheme: ftp}"), "`ftp` is no scheme"),
        (rule("redirect: {uri: /, redirectCode: 200}"), "200 is no status of a redirect"),
        (rule("redirect: {uri: /, redirectCode: 304}"), "does nothing"),
        (rule("redirect: {uri: /, port: 70000}"), "70000 is no port"),
        (rule("redirect: {uri: /, port: 80, derivePort: FROM_REQUEST_PORT}"), "only one of `port` and `derivePort`"),
        (rule("directResponse: {status: 199}"), "199 is no status"),
        (rule("directResponse: {status: 600}"), "600 is no status"),
        (rule("directResponse: {status: 200, body: {bytes: '***'}}"), "no base64"),
        (rule("directResponse: {status: 200, body: {string: a, bytes: YQ==}}"), "only one of"),
        (rule(&format!("directResponse: {{status: 200, body: {{string: {}}}}}", "a".repeat(1_100_000))), "Istio takes"),
        (rule("delegate: {}"), "names no VirtualService"),
    ]);
}

#[test]
fn of_a_match() {
    let block = |block: &str| routed(&format!("match: [{{{block}}}]"));
    let long = format!("uri: {{regex: {}}}", "a".repeat(1025));
    check_refused(&[
        (block("uri: {regex: '('}"), "is not understood"),
        (block("uri: {regex: ''}"), "an expression is missing"),
        (block("uri: {regex: '*'}"), "`.*` is any text"),
        (block(&long), "1025 characters long"),
        (block("uri: {exact: /, prefix: /}"), "only one of `exact`, `prefix` and `regex`"),
        (block("uri: {suffix: /}"), "unknown key `suffix`"),
        (block("method: {prefix: ''}"), "an empty prefix"),
        (block("scheme: {regex: '*'}"), "is not understood"),
        (block("headers: {x: {prefix: ''}}"), "an empty prefix"),
        (block("headers: {x: }"), "found nothing"),
        (block("headers: {'a b': {}}"), "`a b` cannot be the name of a header"),
        (block("headers: {'': {}}"), "cannot be the name"),
        (block("headers: {'@request.auth.claims.a': {exact: a}}"), "only be looked at by gateways"),
        (block("port: 65536"), "65536 is no port"),
        (block("sourceLabels: {'a b': c}"), "`a b` is no key of a label"),
        (block("sourceNamespace: a.b"), "is no namespace"),
        (block("gateways: [a/b/c]"), "no name of a gateway"),
    ]);
    assert_eq!(errors(&block("headers: {':path': {exact: a}}, port: 0")), Vec::<String>::new());
}

#[test]
fn of_times_and_retries() {
    check_refused(&[
        (routed("timeout: 0s"), "4:69 Istio refuses `timeout: 0s`; leave it out"),
        (routed("timeout: 5 seconds"), "no duration"),
        (routed("timeout: 5"), "found the number 5; a duration such as 10s"),
        (routed("timeout: 1.5ms"), "no whole number of milliseconds"),
        (routed("timeout: 1us"), "no whole number of milliseconds"),
        (routed("timeout: -1s"), "no duration"),
        (routed("retries: {attempts: 0, perTryTimeout: 1s}"), "refuses retries without `attempts`"),
        (routed("retries: {retryOn: 5xx}"), "refuses retries without `attempts`"),
        (routed("retries: {retryRemoteLocalities: false}"), "refuses retries without `attempts`"),
        (routed("retries: {attempts: -1}"), "-1 is no count"),
        (routed("retries: {attempts: 1, perTryTimeout: 0s}"), "refuses `perTryTimeout: 0s`"),
        (routed("retries: {attempts: 1, backoff: 0s}"), "refuses `backoff: 0s`"),
        (routed("retries: {attempts: 1, retryOn: gateway-eror}"), "did you mean `gateway-error`?"),
        (routed("retries: {attempts: 1, retryOn: '5xx, reset'}"), "without spaces"),
        (routed("retries: {attempts: 1, retryOn: '5xx,'}"), "`` is no condition"),
        (routed("retries: {attempts: 1, retryOn: '599'}"), "`599` is no condition"),
        (routed("retries: {attempts: 1, retryOn: 503}"), "a text"),
    ]);
    assert_eq!(errors(&routed("retries: {attempts: 1, retryOn: ''}")), Vec::<String>::new());
}

#[test]
fn of_faults_mirrors_rewrites_fields_and_origins() {
    let set = |set: &str| routed(&format!("headers: {{request: {{set: {{{set}}}}}}}"));
    check_refused(&[
        (routed("fault: {}"), "`delay`, `abort` or both"),
        (routed("fault: {abort: {httpStatus: 199}}"), "199 is no status"),
        (routed("fault: {abort: {httpStatus: 503, grpcStatus: OK}}"), "only one of"),
        (routed("fault: {abort: {grpcStatus: UNAVAILABEL}}"), "did you mean `UNAVAILABLE`?"),
        (routed("fault: {abort: {http2Error: a}}"), "refuses `http2Error`"),
        (routed("fault: {delay: {exponentialDelay: 1s}}"), "refuses `exponentialDelay`"),
        (routed("fault: {delay: {fixedDelay: 0s}}"), "refuses `fixedDelay: 0s`"),
        (routed("fault: {abort: {httpStatus: 503, percentage: {value: 130}}}"), "130 is no percentage"),
        (routed("fault: {abort: {httpStatus: 503, percentage: {value: 0.00001}}}"), "is no percentage"),
        (routed("fault: {delay: {fixedDelay: 1s, percent: 101}}"), "101 is no percentage"),
        (routed("mirror: {host: b}, mirrors: [{destination: {host: c}}]"), "only one of `mirror` and `mirrors`"),
        (routed("mirror: {host: '*'}"), "no host of its own"),
        (routed("mirrors: [{}]"), "`destination` is missing"),
        (routed("mirror: {host: b}, mirrorPercentage: {value: -1}"), "-1 is no percentage"),
        (routed("mirror: {host: b}, mirrorPercent: 101"), "101 is no percentage"),
        (routed("rewrite: {}"), "changes nothing"),
        (routed("rewrite: {uri: /a, uriRegexRewrite: {match: a, rewrite: b}}"), "only one of"),
        (routed("rewrite: {uriRegexRewrite: {match: a}}"), "needs both"),
        (routed("rewrite: {uriRegexRewrite: {match: '(', rewrite: a}}"), "is not understood"),
        (routed(r"rewrite: {uriRegexRewrite: {match: '(a)', rewrite: '\2'}}"), "there is no group 2"),
        (routed(r"rewrite: {uriRegexRewrite: {match: '(a)', rewrite: 'a\'}}"), "a backslash stands alone"),
        (routed("rewrite: {authority: a}, headers: {request: {set: {host: b}}}"), "the host is set in two places"),
        (set("host: a, ':authority': b"), "the host is set in two places"),
        (set("'bad name': x"), "4:95 `bad name` cannot be the name of a header"),
        (set("':path': x"), "`:path` cannot be changed here"),
        (set("a: \"x\\r\\ny: z\""), "control characters"),
        (set("a: 50% off"), "a `%` is not closed"),
        (set("a: '%START_TIME%%'"), "a `%` is not closed"),
        (routed("headers: {response: {set: {host: a}}}"), "cannot be changed here"),
        (routed("headers: {request: {remove: [Host]}}"), "cannot be changed here"),
        (
            rule("route: [{destination: {host: a}, headers: {response: {add: {':status': a}}}}]"),
            "cannot be changed here",
        ),
        (routed("corsPolicy: {allowOrigins: [{exact: ''}]}"), "an origin that is empty"),
        (routed("corsPolicy: {allowOrigins: [{}]}"), "an origin that is empty"),
        (routed("corsPolicy: {allowOrigins: [{regex: '('}]}"), "is not understood"),
        (routed("corsPolicy: {allowMethods: [get]}"), "`get` is no method"),
        (routed("corsPolicy: {allowHeaders: ['a b']}"), "cannot be the name"),
        (routed("corsPolicy: {maxAge: 1500ms}"), "no whole number of seconds"),
        (routed("corsPolicy: {maxAge: 0s}"), "refuses `maxAge: 0s`"),
    ]);
}

#[test]
fn of_rules_for_connections() {
    let tls = |rule: &str| service(&format!("{{hosts: [a.com], tls: [{{{rule}}}]}}"));
    let tcp = |rule: &str| service(&format!("{{hosts: [a.com], tcp: [{{{rule}}}]}}"));
    check_refused(&[
        (tls(TO), "needs a condition"),
        (tls(&format!("match: [{{port: 443}}], {TO}")), "needs server names"),
        (tls(&format!("match: [{{sniHosts: [b.com]}}], {TO}")), "`b.com` is none of the object's hosts"),
        (tls(&format!("match: [{{sniHosts: ['a_b']}}], {TO}")), "no host name"),
        (tls("match: [{sniHosts: [a.com]}]"), "nothing is said of where the connections go"),
        (
            tls(&format!("match: [{{sniHosts: [a.com], destinationSubnets: [10.0.0.0/33]}}], {TO}")),
            "no range of addresses",
        ),
        (tcp("match: [{port: 1}]"), "nothing is said of where the connections go"),
        (tcp(&format!("match: [{{destinationSubnets: [a]}}], {TO}")), "no range of addresses"),
        (tcp(&format!("match: [{{port: 70000}}], {TO}")), "70000 is no port"),
        (
            tcp("route: [{destination: {host: a}}, {destination: {host: b}}]"),
            "no destination of this rule has a weight",
        ),
        (tcp("route: [{destination: {host: a}, headers: {}}]"), "unknown key `headers`"),
    ]);
}

#[test]
fn of_a_destination_rule() {
    let spec = |spec: &str| istio("DestinationRule", spec);
    let balancer = |balancer: &str| policy(&format!("loadBalancer: {{{balancer}}}"));
    let hash = |hash: &str| balancer(&format!("consistentHash: {{{hash}}}"));
    let local =
        |local: &str| policy(&format!("outlierDetection: {{}}, loadBalancer: {{localityLbSetting: {{{local}}}}}"));
    let http = |http: &str| policy(&format!("connectionPool: {{http: {{{http}}}}}"));
    let tcp = |tcp: &str| policy(&format!("connectionPool: {{tcp: {{{tcp}}}}}"));
    let outlier = |outlier: &str| policy(&format!("outlierDetection: {{{outlier}}}"));
    let tls = |tls: &str| policy(&format!("tls: {{{tls}}}"));
    check_refused(&[
        (spec("{}"), "`host` is missing"),
        (spec("{host: a_b}"), "no host name"),
        (spec("{host: cart, trafficPolicy: {}}"), "4:20 Istio refuses a `trafficPolicy` in which nothing is said"),
        (spec("{host: cart, subsets: [{name: a, trafficPolicy: {}}]}"), "in which nothing is said"),
        (spec("{host: cart, subsets: [{name: a}, {name: a}]}"), "defined twice"),
        (spec("{host: cart, subsets: [{name: a_b}]}"), "no name of a subset"),
        (spec("{host: cart, subsets: [{name: a, labels: {'a b': c}}]}"), "no key of a label"),
        (spec("{host: cart, exportTo: ['*', a]}"), "stands alone"),
        (spec("{host: cart, exportTo: ['*'], workloadSelector: {matchLabels: {a: b}}}"), "its own namespace alone"),
        (spec("{host: cart, workloadSelector: {matchLabels: {a: 'b*'}}}"), "no wildcards"),
        (policy("connectionPool: {}"), "refuses a `connectionPool` in which nothing is said"),
        (tcp("maxConnections: -1"), "-1 is no count"),
        (tcp("connectTimeout: 0s"), "refuses `connectTimeout: 0s`"),
        (tcp("maxConnectionDuration: 0s"), "refuses `maxConnectionDuration: 0s`"),
        (tcp("tcpKeepalive: {time: 0s}"), "refuses `time: 0s`"),
        (http("http1MaxPendingRequests: -1"), "-1 is no count"),
        (http("idleTimeout: 0s"), "refuses `idleTimeout: 0s`"),
        (http("h2UpgradePolicy: UPGRADE, useClientProtocol: true"), "only one of"),
        (http("h2UpgradePolicy: upgrade"), "`upgrade` is not known here"),
        (http("http2KeepAlive: {interval: 1s}"), "needs both"),
        (outlier("maxEjectionPercent: 101"), "101 is no percentage"),
        (outlier("minHealthPercent: -1"), "-1 is no percentage"),
        (outlier("consecutiveLocalOriginFailures: 3"), "add `splitExternalLocalOriginErrors: true`"),
        (outlier("interval: 0s"), "refuses `interval: 0s`"),
        (outlier("baseEjectionTime: 1.5ms"), "no whole number"),
        (outlier("outlierDetectionHttpErrorCodes: [99]"), "99 is no status"),
        (balancer("simple: RANDOM, consistentHash: {useSourceIp: true}"), "only one of `simple` and `consistentHash`"),
        (balancer("simple: random"), "`random` is not known here"),
        (hash("httpHeaderName: a, useSourceIp: true"), "only one of"),
        (hash("httpCookie: {ttl: 0s}"), "`name` is missing"),
        (hash("httpCookie: {name: ''}"), "a cookie needs a name"),
        (hash("httpCookie: {name: a, attributes: [{name: b}, {name: b}]}"), "stands here twice"),
        (hash("useSourceIp: true, maglev: {}"), "a Maglev table of 0 entries"),
        (hash("useSourceIp: true, maglev: {tableSize: 65536}"), "a Maglev table of 65536"),
        (hash("useSourceIp: true, maglev: {tableSize: 5000011}"), "a prime below 5000011"),
        (hash("useSourceIp: true, maglev: {tableSize: 65537}, minimumRingSize: 9"), "only one of `ringHash`"),
        (balancer("simple: ROUND_ROBIN, warmup: {}"), "needs a `duration`"),
        (balancer("simple: ROUND_ROBIN, warmup: {duration: 1s, aggression: 0}"), "an aggression of 0"),
        (balancer("simple: ROUND_ROBIN, warmup: {duration: 1s, minimumPercent: 101}"), "101 is no percentage"),
        (balancer("simple: ROUND_ROBIN, warmup: {duration: 1s}, warmupDurationSecs: 1s"), "only one of `warmup`"),
        (
            local("distribute: [{from: a, to: {a: 100}}], failover: [{from: a, to: b}]"),
            "only one of `distribute` and `failover`",
        ),
        (local("distribute: [{from: a, to: {a: 50, b: 40}}]"), "add up to 90"),
        (local("distribute: [{from: a, to: {a: 0, b: 100}}]"), "a share of 0"),
        (local("distribute: [{from: a, to: {a: 50, a/b: 50}}]"), "mean the same"),
        (local("distribute: [{from: a/*, to: {'*': 100}}, {from: a/b, to: {a: 100}}]"), "mean the same"),
        (local("distribute: [{from: a//b, to: {a: 100}}]"), "is no place"),
        (local("distribute: [{from: '*/b', to: {a: 100}}]"), "ahead of its end"),
        (local("failover: [{from: a, to: a}]"), "takes over for itself"),
        (local("failover: [{from: a/b, to: c}]"), "whole regions"),
        (local("failover: [{from: a, to: b}], failoverPriority: [topology.kubernetes.io/zone]"), "twice"),
        (tls("mode: MUTUAL"), "needs a certificate of our own"),
        (tls("mode: MUTUAL, credentialName: a, privateKey: b"), "in place of files"),
        (tls("mode: SIMPLE, insecureSkipVerify: true, caCertificates: a"), "neither authorities nor names"),
        (policy("portLevelSettings: [{port: {number: 80}}]"), "nothing is said of this port"),
        (policy("portLevelSettings: [{tls: {mode: DISABLE}}]"), "`port` is missing"),
        (policy("portLevelSettings: [{port: {number: 80}, portLevelSettings: []}]"), "unknown key `portLevelSettings`"),
        (policy("tunnel: {}, proxyProtocol: {}"), "only one of `tunnel` and `proxyProtocol`"),
        (policy("retryBudget: {percent: 101}"), "101 is no percentage"),
    ]);
    let accepted = accepting(&policy("tunnel: {}"), &["DestinationRule.spec.trafficPolicy.tunnel"]);
    assert_eq!(accepted.unsupported.len(), 1);
}

#[test]
fn of_a_gateway() {
    let server = |server: &str| istio("Gateway", &format!("{{servers: [{{{server}}}]}}"));
    let http = "port: {number: 80, name: http, protocol: HTTP}";
    let https = |tls: &str| {
        server(&format!("port: {{number: 443, name: https, protocol: HTTPS}}, hosts: ['*'], tls: {{{tls}}}"))
    };
    check_refused(&[
        (istio("Gateway", "{}"), "needs a server"),
        (
            istio("Gateway", &format!("{{servers: [{{{http}, hosts: [a.com]}}, {{{http}, hosts: [b.com]}}]}}")),
            "stands here twice",
        ),
        (
            istio("Gateway", &format!("{{servers: [{{{http}, hosts: ['*']}}]}}"))
                .replace("{name: cart}", "{name: a.b}"),
            "no name of a gateway",
        ),
        (server("hosts: ['*']"), "`port` is missing"),
        (server(http), "needs a host"),
        (server(&format!("{http}, hosts: [cart]")), "a short name"),
        (server(&format!("{http}, hosts: ['*a.com']")), "a part of a wildcard"),
        (server(&format!("{http}, hosts: [a_b.com]")), "no host name"),
        (server(&format!("{http}, hosts: [a_b/a.com]")), "`a_b` is no namespace"),
        (server("port: {number: 0, name: http, protocol: HTTP}, hosts: ['*']"), "0 is no port"),
        (server("port: {number: 80, name: '', protocol: HTTP}, hosts: ['*']"), "needs a name"),
        (server("port: {number: 80, name: http, protocol: HTTP3}, hosts: ['*']"), "`HTTP3` is no protocol"),
        (
            server("port: {number: 80, name: http, protocol: HTTP, targetPort: 8080}, hosts: ['*']"),
            "does nothing at a gateway",
        ),
        (server("port: {number: 443, name: a, protocol: HTTPS}, hosts: ['*']"), "a port of HTTPS needs `tls`"),
        (server(&format!("{http}, hosts: ['*'], tls: {{mode: SIMPLE}}")), "a port of HTTP has no TLS"),
        (server("port: {number: 80, name: a, protocol: TCP}, hosts: ['*'], tls: {}"), "a port of TCP has no TLS"),
        (https("mode: SIMPLE"), "a certificate and its key are missing"),
        (https("mode: MUTUAL, serverCertificate: a, privateKey: b"), "add `caCertificates`"),
        (https("mode: SIMPLE, serverCertificate: a, privateKey: b, credentialName: c"), "only one of"),
        (https("mode: SIMPLE, tlsCertificates: [{serverCertificate: a}]"), "are missing"),
    ]);
    assert_eq!(errors(&server(&format!("{http}, hosts: [10.0.0.1, '*/a.com', ./b.com]"))), Vec::<String>::new());
}

#[test]
fn of_service_entries_workloads_and_sidecars() {
    let entry = |entry: &str| istio("ServiceEntry", &format!("{{{entry}}}"));
    let ported =
        |more: &str| entry(&format!("hosts: [a.com], ports: [{{number: 80, name: http, protocol: HTTP}}], {more}"));
    let workload = |workload: &str| istio("WorkloadEntry", &format!("{{{workload}}}"));
    let sidecar = |sidecar: &str| istio("Sidecar", &format!("{{{sidecar}}}"));
    let hosts = |hosts: &str| sidecar(&format!("egress: [{{hosts: [{hosts}]}}]"));
    check_refused(&[
        (entry("ports: []"), "needs a host"),
        (entry("hosts: ['*']"), "refuses the host `*`"),
        (entry("hosts: [a_b]"), "no host name"),
        (entry("hosts: [a.com], ports: [{number: 80, name: a}, {number: 80, name: b}]"), "port 80 stands here twice"),
        (entry("hosts: [a.com], ports: [{number: 80, name: a}, {number: 81, name: a}]"), "stands here twice"),
        (entry("hosts: [a.com], ports: [{number: 80, name: a_b}]"), "no name of a port"),
        (entry("hosts: [a.com], ports: [{number: 80, name: a, protocol: QUIC}]"), "`QUIC` is no protocol"),
        (entry("hosts: [a.com], ports: [{number: 0, name: a}]"), "0 is no port"),
        (
            entry("hosts: [a.com, b.com], ports: [{number: 80, name: a, protocol: TCP}], resolution: STATIC"),
            "cannot be told apart",
        ),
        (ported("addresses: [10.0.0.0/8], resolution: DNS"), "a range of addresses beside"),
        (ported("addresses: [a]"), "no address"),
        (ported("endpoints: [{address: 10.0.0.7}]"), "endpoints without `resolution`"),
        (ported("resolution: STATIC, endpoints: [{address: b.com}]"), "`b.com` is no IP address"),
        (ported("resolution: STATIC, endpoints: [{}]"), "`address` is missing"),
        (
            ported("resolution: STATIC, endpoints: [{address: 10.0.0.7, ports: {grpc: 80}}]"),
            "`grpc` is no port of the entry",
        ),
        (ported("resolution: STATIC, endpoints: [{address: 10.0.0.7, ports: {http: 0}}]"), "0 is no port"),
        (ported("resolution: STATIC, endpoints: [{address: 10.0.0.7, labels: {'a b': c}}]"), "no key of a label"),
        (
            ported("resolution: STATIC, workloadSelector: {labels: {a: b}}, endpoints: []"),
            "only one of `workloadSelector`",
        ),
        (ported("resolution: DNS_ROUND_ROBIN, endpoints: [{address: a.com}, {address: b.com}]"), "has one endpoint"),
        (ported("resolution: DNS, endpoints: [{address: a_b}]"), "no host name"),
        (entry("hosts: ['*.a.com'], ports: [{number: 80, name: a}], resolution: DNS"), "cannot be looked up"),
        (ported("exportTo: ['~', a]"), "stands alone"),
        (workload("labels: {a: b}"), "`address` is missing"),
        (workload("address: a_b"), "no host name"),
        (workload("address: 10.0.0.7, ports: {a_b: 80}"), "no name of a port"),
        (sidecar(""), "in which nothing is said"),
        (hosts(""), "needs a host"),
        (hosts("cart"), "has no namespace"),
        (hosts("shop/cart"), "a short name"),
        (hosts("a_b/*"), "no namespace"),
        (hosts("'*/*a.com'"), "a part of a wildcard"),
        (sidecar("egress: [{hosts: [./*]}, {hosts: [./*]}]"), "ahead of another"),
        (
            sidecar("egress: [{port: {number: 80}, hosts: [./*]}, {port: {number: 80}, hosts: [./*]}]"),
            "stands here twice",
        ),
        (sidecar("egress: [{port: {number: 80, protocol: X}, hosts: [./*]}]"), "no protocol of a port"),
    ]);
}
