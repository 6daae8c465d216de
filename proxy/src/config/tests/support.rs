//! What is obeyed of each kind, field by field: the table of `docs/policies.md`, and the proof of it.

use super::*;

const OBEYED: &str = "obeyed";
const REFUSED: &str = "refused";
const NOT_LOOKED_AT: &str = "not looked at";

/// A field, a `spec` that uses it, and what becomes of it.
type Row = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const VIRTUAL_SERVICE: &[Row] = &[
    ("spec.hosts", "{hosts: [cart, '*.example.com'], http: [{route: [{destination: {host: cart}}]}]}", OBEYED),
    ("spec.gateways", "{hosts: [cart], gateways: [mesh], http: [{route: [{destination: {host: cart}}]}]}", OBEYED),
    ("spec.exportTo", "{hosts: [cart], exportTo: ['.'], http: [{route: [{destination: {host: cart}}]}]}", REFUSED),
    ("spec.tls", "{hosts: [cart], tls: [], http: [{route: [{destination: {host: cart}}]}]}", REFUSED),
    ("spec.tcp", "{hosts: [cart], tcp: [], http: [{route: [{destination: {host: cart}}]}]}", REFUSED),
    ("spec.http[].name", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], name: all}]}", OBEYED),
    ("spec.http[].match[].uri", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], match: [{uri: {exact: /a}}]}]}", OBEYED),
    ("spec.http[].match[].ignoreUriCase", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], match: [{uri: {exact: /a}, ignoreUriCase: true}]}]}", OBEYED),
    ("spec.http[].match[].method", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], match: [{method: {exact: GET}}]}]}", OBEYED),
    ("spec.http[].match[].authority", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], match: [{authority: {exact: cart}}]}]}", OBEYED),
    ("spec.http[].match[].headers", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], match: [{headers: {x: {exact: a}}}]}]}", OBEYED),
    ("spec.http[].match[].withoutHeaders", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], match: [{withoutHeaders: {x: {}}}]}]}", OBEYED),
    ("spec.http[].match[].queryParams", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], match: [{queryParams: {q: {exact: a}}}]}]}", OBEYED),
    ("spec.http[].match[].port", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], match: [{port: 80}]}]}", OBEYED),
    ("spec.http[].match[].name", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], match: [{name: first}]}]}", OBEYED),
    ("spec.http[].match[].scheme", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], match: [{scheme: {exact: http}}]}]}", REFUSED),
    ("spec.http[].match[].sourceLabels", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], match: [{sourceLabels: {a: b}}]}]}", REFUSED),
    ("spec.http[].match[].sourceNamespace", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], match: [{sourceNamespace: a}]}]}", REFUSED),
    ("spec.http[].match[].gateways", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], match: [{gateways: [mesh]}]}]}", REFUSED),
    ("spec.http[].match[].statPrefix", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], match: [{statPrefix: a}]}]}", REFUSED),
    ("spec.http[].route[].destination.host", "{hosts: [cart], http: [{route: [{destination: {host: cart}}]}]}", OBEYED),
    ("spec.http[].route[].destination.subset", "{hosts: [cart], http: [{route: [{destination: {host: cart, subset: v1}}]}]}", OBEYED),
    ("spec.http[].route[].destination.port.number", "{hosts: [cart], http: [{route: [{destination: {host: cart, port: {number: 80}}}]}]}", OBEYED),
    ("spec.http[].route[].weight", "{hosts: [cart], http: [{route: [{destination: {host: a}, weight: 1}, {destination: {host: b}, weight: 2}]}]}", OBEYED),
    ("spec.http[].route[].headers", "{hosts: [cart], http: [{route: [{destination: {host: cart}, headers: {request: {set: {a: b}}}}]}]}", OBEYED),
    ("spec.http[].headers.request, .response", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], headers: {request: {set: {a: b}, add: {c: d}, remove: [e]}, response: {set: {a: b}, add: {c: d}, remove: [e]}}}]}", OBEYED),
    ("spec.http[].timeout", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], timeout: 1s}]}", OBEYED),
    ("spec.http[].retries.attempts", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], retries: {attempts: 2}}]}", OBEYED),
    ("spec.http[].retries.perTryTimeout", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], retries: {attempts: 2, perTryTimeout: 1s}}]}", OBEYED),
    ("spec.http[].retries.retryOn", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], retries: {attempts: 2, retryOn: '5xx,429'}}]}", OBEYED),
    ("spec.http[].retries.backoff", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], retries: {attempts: 2, backoff: 10ms}}]}", OBEYED),
    ("spec.http[].retries.retryIgnorePreviousHosts", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], retries: {attempts: 2, retryIgnorePreviousHosts: false}}]}", OBEYED),
    ("spec.http[].retries.retryRemoteLocalities", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], retries: {attempts: 2, retryRemoteLocalities: true}}]}", REFUSED),
    ("spec.http[].rewrite.uri, .authority, .uriRegexRewrite", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], match: [{uri: {prefix: /a}}], rewrite: {uri: /b, authority: c}}]}", OBEYED),
    ("spec.http[].redirect.uri", "{hosts: [cart], http: [{redirect: {uri: /b}}]}", OBEYED),
    ("spec.http[].redirect.authority", "{hosts: [cart], http: [{redirect: {authority: c}}]}", OBEYED),
    ("spec.http[].redirect.scheme", "{hosts: [cart], http: [{redirect: {uri: /b, scheme: https}}]}", OBEYED),
    ("spec.http[].redirect.redirectCode", "{hosts: [cart], http: [{redirect: {uri: /b, redirectCode: 307}}]}", OBEYED),
    ("spec.http[].redirect.port", "{hosts: [cart], http: [{redirect: {uri: /b, port: 8080}}]}", REFUSED),
    ("spec.http[].redirect.derivePort", "{hosts: [cart], http: [{redirect: {uri: /b, derivePort: FROM_REQUEST_PORT}}]}", REFUSED),
    ("spec.http[].redirect.prefixRewrite", "{hosts: [cart], http: [{redirect: {authority: c, prefixRewrite: /b}}]}", REFUSED),
    ("spec.http[].directResponse.status, .body.string", "{hosts: [cart], http: [{directResponse: {status: 418, body: {string: tea}}}]}", OBEYED),
    ("spec.http[].directResponse.body.bytes", "{hosts: [cart], http: [{directResponse: {status: 418, body: {bytes: dGVh}}}]}", REFUSED),
    ("spec.http[].fault.delay.fixedDelay, .percentage", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], fault: {delay: {fixedDelay: 1s, percentage: {value: 10}}}}]}", OBEYED),
    ("spec.http[].fault.abort.httpStatus, .percentage", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], fault: {abort: {httpStatus: 503, percentage: {value: 10}}}}]}", OBEYED),
    ("spec.http[].fault.delay.exponentialDelay", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], fault: {delay: {fixedDelay: 1s, exponentialDelay: 1s}}}]}", REFUSED),
    ("spec.http[].fault.abort.grpcStatus", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], fault: {abort: {httpStatus: 503, grpcStatus: UNAVAILABLE}}}]}", REFUSED),
    ("spec.http[].fault.abort.http2Error", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], fault: {abort: {httpStatus: 503, http2Error: x}}}]}", REFUSED),
    ("spec.http[].mirror", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], mirror: {host: b}}]}", REFUSED),
    ("spec.http[].mirrors", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], mirrors: []}]}", REFUSED),
    ("spec.http[].mirrorPercentage", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], mirrorPercentage: {value: 1}}]}", REFUSED),
    ("spec.http[].corsPolicy", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], corsPolicy: {}}]}", REFUSED),
    ("spec.http[].delegate", "{hosts: [cart], http: [{route: [{destination: {host: cart}}], delegate: {name: a}}]}", REFUSED),
];

#[rustfmt::skip]
const DESTINATION_RULE: &[Row] = &[
    ("spec.host", "{host: cart}", OBEYED),
    ("spec.exportTo", "{host: cart, exportTo: ['.']}", REFUSED),
    ("spec.workloadSelector", "{host: cart, workloadSelector: {}}", REFUSED),
    ("spec.subsets[].name, .labels", "{host: cart, subsets: [{name: v1, labels: {version: v1}}]}", OBEYED),
    ("spec.subsets[].trafficPolicy", "{host: cart, subsets: [{name: v1, labels: {version: v1}, trafficPolicy: {loadBalancer: {simple: RANDOM}}}]}", OBEYED),
    ("spec.trafficPolicy.portLevelSettings[]", "{host: cart, trafficPolicy: {portLevelSettings: [{port: {number: 80}, loadBalancer: {simple: RANDOM}}]}}", OBEYED),
    ("spec.trafficPolicy.tls", "{host: cart, trafficPolicy: {tls: {mode: DISABLE}}}", REFUSED),
    ("spec.trafficPolicy.tunnel", "{host: cart, trafficPolicy: {tunnel: {}}}", REFUSED),
    ("spec.trafficPolicy.proxyProtocol", "{host: cart, trafficPolicy: {proxyProtocol: {}}}", REFUSED),
    ("spec.trafficPolicy.loadBalancer.simple", "{host: cart, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}}", OBEYED),
    ("spec.trafficPolicy.loadBalancer.consistentHash", "{host: cart, trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x}}}}", REFUSED),
    ("spec.trafficPolicy.loadBalancer.localityLbSetting", "{host: cart, trafficPolicy: {loadBalancer: {simple: RANDOM, localityLbSetting: {}}}}", REFUSED),
    ("spec.trafficPolicy.loadBalancer.warmup", "{host: cart, trafficPolicy: {loadBalancer: {simple: RANDOM, warmup: {duration: 10s}}}}", REFUSED),
    ("spec.trafficPolicy.loadBalancer.warmupDurationSecs", "{host: cart, trafficPolicy: {loadBalancer: {simple: RANDOM, warmupDurationSecs: 10s}}}", REFUSED),
    ("spec.trafficPolicy.connectionPool.tcp.maxConnections", "{host: cart, trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}}}}", OBEYED),
    ("spec.trafficPolicy.connectionPool.tcp.connectTimeout", "{host: cart, trafficPolicy: {connectionPool: {tcp: {connectTimeout: 1s}}}}", OBEYED),
    ("spec.trafficPolicy.connectionPool.tcp.idleTimeout", "{host: cart, trafficPolicy: {connectionPool: {tcp: {idleTimeout: 1s}}}}", OBEYED),
    ("spec.trafficPolicy.connectionPool.tcp.tcpKeepalive", "{host: cart, trafficPolicy: {connectionPool: {tcp: {tcpKeepalive: {}}}}}", REFUSED),
    ("spec.trafficPolicy.connectionPool.tcp.maxConnectionDuration", "{host: cart, trafficPolicy: {connectionPool: {tcp: {maxConnectionDuration: 1s}}}}", REFUSED),
    ("spec.trafficPolicy.connectionPool.http.http1MaxPendingRequests", "{host: cart, trafficPolicy: {connectionPool: {http: {http1MaxPendingRequests: 1}}}}", OBEYED),
    ("spec.trafficPolicy.connectionPool.http.http2MaxRequests", "{host: cart, trafficPolicy: {connectionPool: {http: {http2MaxRequests: 1}}}}", OBEYED),
    ("spec.trafficPolicy.connectionPool.http.maxRequestsPerConnection", "{host: cart, trafficPolicy: {connectionPool: {http: {maxRequestsPerConnection: 1}}}}", OBEYED),
    ("spec.trafficPolicy.connectionPool.http.maxRetries", "{host: cart, trafficPolicy: {connectionPool: {http: {maxRetries: 1}}}}", OBEYED),
    ("spec.trafficPolicy.connectionPool.http.idleTimeout", "{host: cart, trafficPolicy: {connectionPool: {http: {idleTimeout: 1s}}}}", OBEYED),
    ("spec.trafficPolicy.connectionPool.http.h2UpgradePolicy", "{host: cart, trafficPolicy: {connectionPool: {http: {h2UpgradePolicy: UPGRADE}}}}", REFUSED),
    ("spec.trafficPolicy.connectionPool.http.useClientProtocol", "{host: cart, trafficPolicy: {connectionPool: {http: {useClientProtocol: true}}}}", REFUSED),
    ("spec.trafficPolicy.connectionPool.http.maxConcurrentStreams", "{host: cart, trafficPolicy: {connectionPool: {http: {maxConcurrentStreams: 1}}}}", REFUSED),
    ("spec.trafficPolicy.connectionPool.http.http2KeepAlive", "{host: cart, trafficPolicy: {connectionPool: {http: {http2KeepAlive: {}}}}}", REFUSED),
    ("spec.trafficPolicy.outlierDetection.consecutive5xxErrors", "{host: cart, trafficPolicy: {outlierDetection: {consecutive5xxErrors: 3}}}", OBEYED),
    ("spec.trafficPolicy.outlierDetection.consecutiveGatewayErrors", "{host: cart, trafficPolicy: {outlierDetection: {consecutiveGatewayErrors: 3}}}", OBEYED),
    ("spec.trafficPolicy.outlierDetection.splitExternalLocalOriginErrors", "{host: cart, trafficPolicy: {outlierDetection: {splitExternalLocalOriginErrors: true}}}", OBEYED),
    ("spec.trafficPolicy.outlierDetection.consecutiveLocalOriginFailures", "{host: cart, trafficPolicy: {outlierDetection: {splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 3}}}", OBEYED),
    ("spec.trafficPolicy.outlierDetection.interval", "{host: cart, trafficPolicy: {outlierDetection: {interval: 1s}}}", OBEYED),
    ("spec.trafficPolicy.outlierDetection.baseEjectionTime", "{host: cart, trafficPolicy: {outlierDetection: {baseEjectionTime: 1s}}}", OBEYED),
    ("spec.trafficPolicy.outlierDetection.maxEjectionPercent", "{host: cart, trafficPolicy: {outlierDetection: {maxEjectionPercent: 50}}}", OBEYED),
    ("spec.trafficPolicy.outlierDetection.minHealthPercent", "{host: cart, trafficPolicy: {outlierDetection: {minHealthPercent: 50}}}", OBEYED),
    ("spec.trafficPolicy.outlierDetection.outlierDetectionHttpErrorCodes", "{host: cart, trafficPolicy: {outlierDetection: {outlierDetectionHttpErrorCodes: []}}}", REFUSED),
    ("spec.trafficPolicy.retryBudget.percent, .minRetryConcurrency", "{host: cart, trafficPolicy: {retryBudget: {percent: 10, minRetryConcurrency: 1}}}", OBEYED),
    ("spec.trafficPolicy.retryBudget.budgetInterval", "{host: cart, trafficPolicy: {retryBudget: {budgetInterval: 1s}}}", REFUSED),
];

#[rustfmt::skip]
const SERVICE: &[Row] = &[
    ("spec.ports[].port", "{ports: [{port: 80}]}", OBEYED),
    ("spec.selector, type, clusterIP, ports[].name and what else says where it is", "{ports: [{port: 80}], selector: {app: cart}, type: ClusterIP}", NOT_LOOKED_AT),
    ("spec.sessionAffinity", "{ports: [{port: 80}], sessionAffinity: ClientIP}", REFUSED),
    ("spec.sessionAffinityConfig", "{ports: [{port: 80}], sessionAffinityConfig: {}}", REFUSED),
    ("spec.internalTrafficPolicy", "{ports: [{port: 80}], internalTrafficPolicy: Local}", REFUSED),
    ("spec.publishNotReadyAddresses", "{ports: [{port: 80}], publishNotReadyAddresses: true}", REFUSED),
    ("spec.trafficDistribution", "{ports: [{port: 80}], trafficDistribution: PreferClose}", REFUSED),
    ("spec.externalName", "{ports: [{port: 80}], externalName: a}", REFUSED),
];

#[rustfmt::skip]
const DEPLOYMENT: &[Row] = &[
    ("spec.replicas", "{selector: {matchLabels: {app: cart}}, replicas: 3, template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart, image: cart}]}}}", OBEYED),
    ("spec.template.metadata.labels", "{selector: {matchLabels: {app: cart}}, template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart, image: cart}]}}}", OBEYED),
    ("spec.strategy, image, env, resources, volumes and what else says how it runs", "{selector: {matchLabels: {app: cart}}, strategy: {}, template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart, image: cart, env: [], resources: {}}], volumes: []}}}", NOT_LOOKED_AT),
    ("spec.minReadySeconds", "{selector: {matchLabels: {app: cart}}, minReadySeconds: 5, template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart, image: cart}]}}}", REFUSED),
    ("spec.template.spec.initContainers", "{selector: {matchLabels: {app: cart}}, template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart, image: cart}], initContainers: []}}}", REFUSED),
    ("spec.template.spec.terminationGracePeriodSeconds", "{selector: {matchLabels: {app: cart}}, template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart, image: cart}], terminationGracePeriodSeconds: 5}}}", REFUSED),
    ("spec.template.spec.readinessGates", "{selector: {matchLabels: {app: cart}}, template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart, image: cart}], readinessGates: []}}}", REFUSED),
    ("spec.template.spec.containers[].lifecycle", "{selector: {matchLabels: {app: cart}}, template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart, image: cart, lifecycle: {}}]}}}", REFUSED),
    ("spec.template.spec.containers[].readinessProbe", "{selector: {matchLabels: {app: cart}}, template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart, image: cart, readinessProbe: {httpGet: {path: /health, port: 8080}}}]}}}", OBEYED),
    ("spec.template.spec.containers[].livenessProbe", "{selector: {matchLabels: {app: cart}}, template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart, image: cart, livenessProbe: {httpGet: {path: /health, port: 8080}}}]}}}", OBEYED),
    ("spec.template.spec.containers[].startupProbe", "{selector: {matchLabels: {app: cart}}, template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart, image: cart, startupProbe: {httpGet: {path: /health, port: 8080}}}]}}}", OBEYED),
    ("spec.template.spec.containers[].livenessProbe.httpGet.path, tcpSocket", "{selector: {matchLabels: {app: cart}}, template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart, image: cart, livenessProbe: {tcpSocket: {port: 8080}}}]}}}", OBEYED),
    ("spec.template.spec.containers[].livenessProbe.initialDelaySeconds, periodSeconds, timeoutSeconds, successThreshold, failureThreshold", "{selector: {matchLabels: {app: cart}}, template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart, image: cart, livenessProbe: {httpGet: {path: /h}, initialDelaySeconds: 1, periodSeconds: 1, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 1}}]}}}", OBEYED),
    ("spec.template.spec.containers[].livenessProbe.exec", "{selector: {matchLabels: {app: cart}}, template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart, image: cart, livenessProbe: {exec: {command: [a]}, httpGet: {path: /h}}}]}}}", REFUSED),
    ("spec.template.spec.containers[].livenessProbe.grpc", "{selector: {matchLabels: {app: cart}}, template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart, image: cart, livenessProbe: {grpc: {port: 1}, httpGet: {path: /h}}}]}}}", REFUSED),
    ("spec.template.spec.containers[].livenessProbe.terminationGracePeriodSeconds", "{selector: {matchLabels: {app: cart}}, template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart, image: cart, livenessProbe: {httpGet: {path: /h}, terminationGracePeriodSeconds: 1}}]}}}", REFUSED),
    ("spec.template.spec.containers[].livenessProbe.httpGet.scheme", "{selector: {matchLabels: {app: cart}}, template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart, image: cart, livenessProbe: {httpGet: {path: /h, scheme: HTTPS}}}]}}}", REFUSED),
    ("spec.template.spec.containers[].livenessProbe.httpGet.host", "{selector: {matchLabels: {app: cart}}, template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart, image: cart, livenessProbe: {httpGet: {path: /h, host: a}}}]}}}", REFUSED),
    ("spec.template.spec.containers[].livenessProbe.httpGet.httpHeaders", "{selector: {matchLabels: {app: cart}}, template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart, image: cart, livenessProbe: {httpGet: {path: /h, httpHeaders: []}}}]}}}", REFUSED),
];

#[rustfmt::skip]
const HEALTH_CHECK: &[Row] = &[
    ("spec.host, .interval", "{host: cart, interval: 1s}", OBEYED),
    ("spec.path, .timeout, .healthyThreshold, .unhealthyThreshold", "{host: cart, interval: 1s, path: /h, timeout: 1s, healthyThreshold: 1, unhealthyThreshold: 1}", OBEYED),
];

const KINDS: [(&str, &str, &[Row]); 5] = [
    ("VirtualService", "networking.istio.io/v1", VIRTUAL_SERVICE),
    ("DestinationRule", "networking.istio.io/v1", DESTINATION_RULE),
    ("Service", "v1", SERVICE),
    ("Deployment", "apps/v1", DEPLOYMENT),
    ("HealthCheck", "squall.dev/v1", HEALTH_CHECK),
];

#[test]
fn each_field_is_obeyed_or_refused_as_the_table_says() {
    for (kind, version, rows) in KINDS {
        for (field, spec, word) in rows {
            let text = format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: cart}}\nspec: {spec}\n");
            let read = read(&sources(&text), &LoadOptions::default());
            let refusals: Vec<String> = read.err().unwrap_or_default().into_iter().map(|one| one.message).collect();
            match *word {
                REFUSED => {
                    let named = field.rsplit('.').next().unwrap_or_default();
                    let told =
                        refusals.iter().any(|told| told.contains(named) && told.ends_with("is valid but not obeyed"));
                    assert!(told && refusals.len() == 1, "{kind} {field}: {refusals:?}");
                }
                _ => assert_eq!(refusals, Vec::<String>::new(), "{kind} {field}"),
            }
        }
    }
}

#[test]
fn the_documentation_has_the_same_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/policies.md");
    let documentation = std::fs::read_to_string(path).unwrap();
    for (kind, _, rows) in KINDS {
        let section =
            documentation.split(&format!("\n## {kind}\n")).nth(1).unwrap_or_else(|| panic!("no section {kind}"));
        let section = section.split("\n## ").next().unwrap_or_default();
        for (field, _, word) in rows {
            assert!(section.contains(&format!("| `{field}` | {word} |")), "{kind}: `{field}` is {word}");
        }
        assert_eq!(section.lines().filter(|line| line.starts_with("| `")).count(), rows.len(), "{kind}");
    }
}

#[test]
fn what_cannot_be_written_on_a_connection_is_refused() {
    for (route, told) in [
        ("headers: {request: {set: {\"bad name\": x}}}, route: [{destination: {host: cart}}]", "bad name"),
        ("headers: {request: {add: {\":path\": x}}}, route: [{destination: {host: cart}}]", ":path"),
        (
            "headers: {response: {set: {a: \"x\\r\\ny: z\"}}}, route: [{destination: {host: cart}}]",
            "control characters",
        ),
        ("fault: {abort: {httpStatus: 99, percentage: {value: 1}}}, route: [{destination: {host: cart}}]", "99"),
    ] {
        let told_all = errors(&service(&format!("{{{route}}}")));
        assert!(told_all.iter().any(|one| one.contains(told)), "{route}: {told_all:?}");
    }
}

#[test]
fn objects_of_other_kinds_are_passed_over_where_their_kind_is_accepted() {
    let text = "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: cart}\nspec: {mtls: {mode: STRICT}}\n";
    assert!(errors(text)[0].contains("PeerAuthentication"));
    let options = LoadOptions { accept_unsupported: vec!["PeerAuthentication".to_owned()] };
    let loaded = read(&sources(text), &options).unwrap();
    assert_eq!((loaded.policies, loaded.unsupported.len()), (Policies::default(), 1));
}

#[test]
fn a_misspelt_field_is_told_with_what_is_meant() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart}\nspec:\n  selector: {}\n  template: {spec: {containers: [{livenesProbe: {httpGet: {path: /h}}}]}}\n";
    let findings = read(&sources(text), &LoadOptions::default()).expect_err("an error");
    assert!(findings[0].message.contains("livenesProbe"), "{findings:?}");
    assert!(findings[0].help.as_ref().is_some_and(|help| help.contains("livenessProbe")), "{findings:?}");
}
