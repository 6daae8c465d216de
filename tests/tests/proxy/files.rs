//! Which files a proxy reads, what it says of those that lack something, and how it takes their changes.

use squall_tests::http::get;
use squall_tests::proxy::{Proxy, routes};
use squall_tests::{binary, project, until};
use std::fs;
use std::process::Command;

const ALONE: [&str; 2] = ["--policies", "policies.yaml"];

fn answers(status: u16) -> String {
    routes(&format!("    - directResponse: {{status: {status}}}"))
}

#[test]
fn a_file_that_is_emptied_is_refused_and_one_that_is_deleted_is_not() {
    let proxy =
        Proxy::with_files(&[("one.yaml", &answers(201)), ("note.yaml", "# nothing yet\n")], &["--policies", "."]);
    assert_eq!(proxy.get("/").status(), 201);
    fs::write(proxy.file("one.yaml"), "").expect("a file");
    until("it is refused", || proxy.log().contains("nothing stands here any more"));
    assert_eq!(proxy.get("/").status(), 201, "the last good configuration goes on");
    fs::write(proxy.file("one.yaml"), answers(202)).expect("a file");
    until("what was written whole is taken up", || proxy.get("/").status() == 202);
    fs::remove_file(proxy.file("one.yaml")).expect("a file");
    until("it is gone", || proxy.get("/").status() == 503);
    assert_eq!(proxy.stat("server.reloads_refused"), 1);
}

#[test]
fn folders_within_folders_are_read_and_watched() {
    let proxy = Proxy::with_files(&[("policies.yaml", &answers(201))], &["--policies", "."]);
    assert_eq!(proxy.get("/").status(), 201);
    fs::remove_file(proxy.file("policies.yaml")).expect("a file");
    fs::create_dir_all(proxy.file("base/deep")).expect("a folder");
    fs::write(proxy.file("base/deep/new.yaml"), answers(202)).expect("a file");
    until("the inner file is taken up", || proxy.get("/").status() == 202);
    fs::create_dir(proxy.file(".git")).expect("a folder");
    fs::write(proxy.file(".git/bad.yaml"), "kind: nonsense\n").expect("a file");
    fs::write(proxy.file("base/deep/new.yaml"), answers(203)).expect("a file");
    until("a hidden one is not", || proxy.get("/").status() == 203);
    let project = project().file("deep/ok.yaml", &answers(201)).file("deep/base/bad.yaml", "kind: nonsense\n");
    let told = project.run(&["lint", "deep"]).expect_code(104).out();
    assert!(told.contains("deep/base/bad.yaml"), "{told}");
}

#[test]
fn policies_by_themselves_mean_that_the_services_they_name_are_there_for_the_proxy_and_for_explanations_alike() {
    let policies = format!(
        "{}---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: pay}}\nspec: {{hosts: [pay], http: [{{route: [{{destination: {{host: pay, port: {{number: 9080}}}}}}]}}]}}\n",
        answers(201)
    );
    let proxy = Proxy::with_files(&[("policies.yaml", &policies)], &ALONE);
    for (host, status) in [("cart", 201), ("cart.default", 201), ("cart.default.svc.cluster.local", 201), ("pay", 503)]
    {
        let answer = get(proxy.listen, "/", &format!("host: {host}\r\n"));
        assert_eq!(answer.status(), status, "{host}");
    }
    assert_eq!(get(proxy.listen, "/", "host: pay\r\n").text(), "no healthy upstream");
    let told = proxy.log();
    let nowhere = "of which nobody says where they are: cart.default.svc.cluster.local, pay.default.svc.cluster.local";
    assert_eq!(told.matches(nowhere).count(), 1, "{told}");
    let explain = |url: &str| {
        let mut command = Command::new(binary());
        command.args(["proxy", "explain", "--url", url]).args(ALONE).current_dir(proxy.folder());
        String::from_utf8_lossy(&command.output().expect("the binary runs").stdout).into_owned()
    };
    assert!(explain("http://cart/").contains("direct response     201"), "{}", explain("http://cart/"));
    let pay = explain("http://pay/");
    assert!(pay.contains("503 UH") && !pay.contains("NC"), "{pay}");
}

#[test]
fn where_anything_is_listed_a_host_without_a_service_has_its_whole_name_alone() {
    let files =
        [("policies.yaml", answers(201)), ("endpoints.yaml", squall_tests::proxy::slice("", 1).replace("cart", "web"))];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let endpoints = ["--endpoints", "endpoints.yaml"];
    let proxy = Proxy::with_files(&files, &[&ALONE[..], &endpoints].concat());
    assert_eq!(get(proxy.listen, "/", "host: cart.default.svc.cluster.local\r\n").status(), 201);
    assert_eq!(proxy.get("/").status(), 503);
    let mut command = Command::new(binary());
    command.args(["proxy", "explain", "--url", "http://cart/"]).args(ALONE).args(endpoints);
    let told = command.current_dir(proxy.folder()).output().expect("the binary runs").stdout;
    assert!(String::from_utf8_lossy(&told).contains("PassthroughCluster"), "{}", String::from_utf8_lossy(&told));
}

#[test]
fn a_proxy_without_any_policy_says_so() {
    let proxy = Proxy::with_files(&[("policies.yaml", "")], &ALONE);
    until("it is told", || proxy.log().contains("policies.yaml: no policy stands here"));
}

#[test]
fn an_address_that_somebody_listens_to_is_an_error_of_the_start() {
    let proxy = Proxy::with_files(&[("policies.yaml", &answers(201))], &ALONE);
    let taken = proxy.listen.to_string();
    let free = {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        socket.local_addr().expect("an address").to_string()
    };
    for listens in [
        &["--listen", &taken][..],
        &["--listen", &free, "--admin", &free],
        &["--listen", &free, "--listen", &format!("81={free}")],
    ] {
        let mut command = Command::new(binary());
        let output = command.arg("proxy").args(ALONE).args(listens).current_dir(proxy.folder()).output();
        let output = output.expect("the binary runs");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{listens:?}: {told}");
        assert!(told.contains("Address already in use"), "{listens:?}: {told}");
    }
    assert_eq!(proxy.get("/").status(), 201);
}
