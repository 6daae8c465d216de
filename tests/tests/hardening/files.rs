//! Files of a configuration as editors, Kubernetes and accidents leave them: each change is taken up once, and what cannot be taken up leaves
//! the old one in place, with the reason in the log, in a number and at the admin interface.

use serde_json::Value;
use squall_tests::http::{Backend, Connection};
use squall_tests::proxy::{Proxy, routes};
use squall_tests::until;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

fn answering(status: u16) -> String {
    let rule = routes(&format!("    - directResponse: {{status: {status}}}"));
    format!(
        "{rule}---\napiVersion: v1\nkind: Service\nmetadata: {{name: cart}}\nspec: {{ports: [{{name: http, port: 80}}]}}\n"
    )
}

fn reloads(proxy: &Proxy) -> (u64, u64) {
    (proxy.stat("server.reloads"), proxy.stat("server.reloads_refused"))
}

fn refusal(proxy: &Proxy) -> String {
    let info: Value = serde_json::from_slice(&proxy.admin("/server_info").body).expect("JSON");
    info["refused"].as_str().unwrap_or_default().to_owned()
}

/// Waits until the proxy has looked at its files a few times more: there is nothing else to wait for where nothing is to happen.
fn looks() {
    thread::park_timeout(Duration::from_millis(300));
}

#[test]
fn a_file_that_is_renamed_written_in_place_or_deleted_and_made_anew_is_read_once() {
    let proxy = Proxy::start(&answering(201), &[]);
    proxy.write_policies(&answering(202));
    until("a rename is seen", || proxy.get("/").status() == 202);
    assert_eq!(reloads(&proxy), (1, 0));
    fs::write(proxy.file("policies.yaml"), answering(203)).expect("a file");
    until("a file written in place is seen", || proxy.get("/").status() == 203);
    looks();
    assert_eq!(reloads(&proxy), (2, 0));
    fs::remove_file(proxy.file("policies.yaml")).expect("a file");
    until("its absence is told", || refusal(&proxy).contains("cannot be read"));
    assert_eq!(proxy.get("/").status(), 203);
    fs::write(proxy.file("policies.yaml"), answering(204)).expect("a file");
    until("it is read again", || proxy.get("/").status() == 204);
    assert_eq!((reloads(&proxy).0, refusal(&proxy)), (3, String::new()));
}

#[test]
fn a_file_that_is_only_touched_changes_nothing() {
    let proxy = Proxy::start(&answering(201), &[]);
    for _ in 0..3 {
        let file = fs::File::options().append(true).open(proxy.file("policies.yaml")).expect("a file");
        file.set_modified(std::time::SystemTime::now()).expect("touched");
        looks();
    }
    assert_eq!((reloads(&proxy), proxy.get("/").status()), ((0, 0), 201));
}

#[test]
fn what_is_refused_and_taken_back_is_no_longer_told() {
    let proxy = Proxy::start(&answering(201), &[]);
    proxy.write_policies("kind: [");
    until("it is refused", || !refusal(&proxy).is_empty());
    assert!(refusal(&proxy).contains("policies.yaml:"), "{}", refusal(&proxy));
    proxy.write_policies(&answering(201));
    until("that is over", || refusal(&proxy).is_empty());
    assert_eq!(reloads(&proxy), (0, 1));
}

/// Its name, what is told of it, and how it is made.
type Kind = (&'static str, &'static str, fn(&Path));

#[test]
fn what_is_no_plain_file_leaves_the_old_configuration_in_place() {
    let proxy = Proxy::start(&answering(201), &[]);
    let file = proxy.file("policies.yaml");
    let make: [Kind; 7] = [
        ("a pipe", "a pipe", |at| nix::unistd::mkfifo(at, nix::sys::stat::Mode::S_IRWXU).expect("a pipe")),
        ("a device", "a device", |at| symlink("/dev/zero", at).expect("a link")),
        ("a link to itself", "symbolic links", |at| symlink(at, at).expect("a link")),
        ("a file that cannot be read", "os error", |at| symlink("/proc/self/mem", at).expect("a link")),
        ("UTF-16", "UTF-16", |at| fs::write(at, b"\xff\xfek\0").expect("a file")),
        ("a large file", "longer than", |at| {
            fs::File::create(at).and_then(|file| file.set_len(1 << 30)).expect("a file");
        }),
        ("nothing", "No such file", |_| {}),
    ];
    let memory = proxy.resident();
    for (name, said, make) in make {
        fs::remove_file(&file).expect("it is there");
        make(&file);
        until(name, || refusal(&proxy).contains(said));
        until(name, || proxy.log().contains(said));
        assert_eq!(proxy.get("/").status(), 201, "{name}");
        assert_eq!(proxy.admin("/ready").status(), 200, "{name}");
        if name == "nothing" {
            break;
        }
    }
    assert!(proxy.resident().saturating_sub(memory) < 64 << 20);
    assert_eq!(reloads(&proxy).0, 0);
    fs::write(&file, answering(202)).expect("a file");
    until("a good one is taken up", || proxy.get("/").status() == 202);
}

/// A folder as Kubernetes mounts a `ConfigMap`: files are links into `..data`, which is a link to a folder of that version.
struct Mount {
    folder: tempfile::TempDir,
    version: usize,
}

impl Mount {
    fn new(texts: &[(&str, String)]) -> Self {
        let mut mount = Self { folder: tempfile::tempdir().expect("a folder"), version: 0 };
        mount.swap(texts);
        for (name, _) in texts {
            symlink(Path::new("..data").join(name), mount.path(name)).expect("a link");
        }
        mount
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The next version: a folder, a link beside, a rename, and the old folder goes.
    fn swap(&mut self, texts: &[(&str, String)]) {
        let before = format!("..2026_{}", self.version);
        self.version += 1;
        let own = format!("..2026_{}", self.version);
        fs::create_dir(self.path(&own)).expect("a folder");
        for (name, text) in texts {
            fs::write(self.path(&own).join(name), text).expect("a file");
        }
        symlink(&own, self.path("..data_tmp")).expect("a link");
        fs::rename(self.path("..data_tmp"), self.path("..data")).expect("a rename");
        if self.version > 1 {
            fs::remove_dir_all(self.path(&before)).expect("a folder");
        }
    }
}

fn pair(status: u16) -> [(&'static str, String); 2] {
    let other = answering(status).replace("name: cart", "name: pay").replace("hosts: [cart]", "hosts: [pay]");
    [("cart.yaml", answering(status)), ("pay.yaml", other)]
}

fn on(folder: &Path) -> Proxy {
    Proxy::with_files(&[], &["--policies", folder.to_str().expect("a path")])
}

#[test]
fn a_swap_as_kubernetes_makes_it_is_one_reload_and_no_request_sees_half_of_it() {
    let mut mount = Mount::new(&pair(201));
    let proxy = on(mount.folder.path());
    let ask = |host: &str| squall_tests::http::get(proxy.listen, "/", &format!("host: {host}\r\n")).status();
    for version in 0..5_u64 {
        let status = 202 + version as u16;
        mount.swap(&pair(status));
        until("it is taken up", || ask("cart") == status);
        assert_eq!(ask("pay"), status);
        looks();
        assert_eq!(reloads(&proxy), (version + 1, 0));
    }
}

/// Asks for both hosts by turns until told to stop; each answer must be of the same version as the one before, or of a newer.
fn follow(proxy: &Proxy, stop: &AtomicBool) -> u16 {
    let (mut connection, mut newest) = (proxy.connect(), 0);
    while !stop.load(Ordering::Relaxed) {
        for host in ["cart", "pay"] {
            let status = connection.ask(&format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n")).status();
            assert!(status >= newest, "{host} is at {status} after {newest} was seen");
            newest = status;
        }
        thread::park_timeout(Duration::from_millis(1));
    }
    newest
}

#[test]
fn swaps_under_clients_are_seen_whole_by_each_of_them_and_in_their_order() {
    let mut mount = Mount::new(&pair(400));
    let proxy = on(mount.folder.path());
    let stop = AtomicBool::new(false);
    let last = 450;
    let seen: Vec<u16> = thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(|| follow(&proxy, &stop))).collect();
        for status in 401..=last {
            mount.swap(&pair(status));
            until("it is taken up", || {
                squall_tests::http::get(proxy.listen, "/", "host: cart\r\n").status() == status
                    || clients.iter().any(thread::ScopedJoinHandle::is_finished)
            });
        }
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().expect("versions in their order")).collect()
    });
    assert!(seen.iter().all(|newest| *newest > 400), "{seen:?}");
    assert_eq!(reloads(&proxy), (u64::from(last - 400), 0));
}

#[test]
fn what_editors_leave_beside_a_file_is_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("cart.yaml"), answering(201)).expect("a file");
    let proxy = on(folder.path());
    // A lock, a copy while it is written, a copy of before, and a file that is tried out.
    symlink("someone@host.1234:5678", folder.path().join(".#cart.yaml")).expect("a link");
    for name in [".cart.yaml.swp", ".cart.yaml", "cart.yaml~", "4913", "#cart.yaml#"] {
        fs::write(folder.path().join(name), "b0VIM 9.0\0\0nonsense: [").expect("a file");
    }
    fs::write(folder.path().join(".cart.yaml.new"), answering(202)).expect("a file");
    fs::rename(folder.path().join(".cart.yaml.new"), folder.path().join("cart.yaml")).expect("a rename");
    until("the file is taken up", || proxy.get("/").status() == 202);
    assert_eq!(reloads(&proxy), (1, 0));
}

#[test]
fn a_storm_of_changes_is_taken_up_in_a_few_steps_and_old_configurations_are_gone() {
    let backend = Backend::named("cart");
    let policies = |at: usize| {
        routes(&format!("    - timeout: {}ms\n      route: [{{destination: {{host: cart}}}}]", 10_000 + at))
    };
    let proxy = Proxy::start(&policies(0), &[&backend]);
    // Connections that live through all of it hold none of them.
    let ask = "GET / HTTP/1.1\r\nhost: cart\r\n\r\n";
    let mut kept: Vec<Connection> = (0..20).map(|_| proxy.connect()).collect();
    kept.iter_mut().for_each(|connection| assert_eq!(connection.ask(ask).status(), 200));
    for at in 1..=1000 {
        proxy.write_policies(&policies(at));
        if at % 100 == 0 {
            until("some are taken up", || proxy.stat("server.reloads") >= at as u64 / 100);
            assert_eq!(kept[at / 100].ask(ask).status(), 200);
        }
    }
    until("the last is taken up", || {
        let _ = proxy.get("/");
        backend.asked().last().is_some_and(|asked| asked.field("x-envoy-expected-rq-timeout-ms") == "11000")
    });
    let (taken, refused) = reloads(&proxy);
    assert!((10..500).contains(&taken) && refused == 0, "{taken} reloads, {refused} refused");
    until("old ones are gone", || proxy.stat("server.snapshots") <= 2);
    let memory = proxy.resident();
    for at in 0..30_u64 {
        proxy.write_policies(&policies(2000 + at as usize));
        until("it is taken up", || proxy.stat("server.reloads") > taken + at);
    }
    assert!(proxy.resident().saturating_sub(memory) < 8 << 20);
    kept.iter_mut().for_each(|connection| assert_eq!(connection.ask(ask).status(), 200));
}

#[test]
fn half_a_file_is_refused_and_the_whole_taken_up() {
    let proxy = Proxy::start(&answering(201), &[]);
    let whole = answering(202);
    let cut = whole.find("directResponse").expect("a rule") + 17;
    fs::write(proxy.file("policies.yaml"), &whole[..cut]).expect("a file");
    until("half of it is refused", || !refusal(&proxy).is_empty());
    assert_eq!(proxy.get("/").status(), 201);
    fs::write(proxy.file("policies.yaml"), &whole).expect("a file");
    until("all of it is taken up", || proxy.get("/").status() == 202);
}
