//! Real children. What counts processes and descriptors runs in a process of its own, where no other test has any.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use super::*;
use crate::rt::sync::Notify;
use crate::rt::{Task, run, sleep, spawn, timeout};

/// Longer than any of these waits takes; running into it fails the test.
const PATIENCE: Duration = Duration::from_secs(60);

fn shell(script: &str) -> Command {
    Command {
        program: "/bin/sh".to_owned(),
        arguments: vec!["-c".to_owned(), script.to_owned()],
        environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
        directory: "/".into(),
        input: None,
        owner: None,
        memory_bytes_max: None,
    }
}

/// Runs to the end: how it ended, its output, its error output.
async fn outcome(command: &Command) -> (Exit, String, String) {
    let child = Children::new(1, None).spawn(command).unwrap();
    let (mut out, mut err) = (Head::new(1 << 20), Head::new(1 << 20));
    let exit = {
        let (mut take_out, mut take_err) =
            (|bytes: &[u8]| out.add(bytes), |bytes: &[u8]| err.add(bytes));
        let running = child.run(&mut take_out, &mut take_err);
        timeout(PATIENCE, running).await.unwrap()
    };
    let text = |head: Head| String::from_utf8(head.bytes().to_vec()).unwrap();
    (exit, text(out), text(err))
}

#[track_caller]
fn check(command: &Command, exit: Exit, out: &str, err: &str) {
    let expected = (exit, out.to_owned(), err.to_owned());
    assert_eq!(run(outcome(command)), expected);
}

/// Waits for something that happens soon.
async fn until(what: &str, mut has_happened: impl FnMut() -> bool) {
    let waiting = async {
        while !has_happened() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    assert!(
        timeout(PATIENCE, waiting).await.is_ok(),
        "waited in vain for: {what}"
    );
}

fn is_alive(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // A zombie is dead; whose it is, is asked elsewhere.
    status
        .rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[test]
fn output_and_status_come_back() {
    check(
        &shell("printf out; printf err >&2; exit 3"),
        Exit::Status(3),
        "out",
        "err",
    );
    check(&shell("true"), Exit::Status(0), "", "");
    check(&shell("kill -9 $$"), Exit::Signal(9), "", "");
    // Outputs closed, and still at work.
    check(
        &shell("exec >&- 2>&-; sleep 0.01; exit 4"),
        Exit::Status(4),
        "",
        "",
    );
    // A member of the group that keeps the output open holds nobody up.
    check(&shell("sleep 1000 & printf x"), Exit::Status(0), "x", "");
}

#[test]
fn input_is_fed_and_closed() {
    let text = "0123456789".repeat(50_000);
    let mut cat = shell("exec cat");
    cat.input = Some(text.clone().into_bytes());
    check(&cat, Exit::Status(0), &text, "");
    // A child that does not want its input ends all the same.
    cat.arguments = vec!["-c".to_owned(), "exit 5".to_owned()];
    check(&cat, Exit::Status(5), "", "");
    check(&shell("cat"), Exit::Status(0), "", "");
}

#[test]
fn nothing_is_inherited_but_what_is_given() {
    let mut env = shell("");
    env.program = "env".to_owned();
    env.arguments = Vec::new();
    env.environment.push(("A".to_owned(), "b c".to_owned()));
    check(&env, Exit::Status(0), "A=b c\nPATH=/usr/bin:/bin\n", "");
    check(&shell("pwd"), Exit::Status(0), "/\n", "");
    // The parent's reactor, timers and pipes are open right now, and one that it would pass on.
    let passed_on = std::fs::File::open("/etc/passwd").unwrap();
    rustix::io::fcntl_setfd(&passed_on, rustix::io::FdFlags::empty()).unwrap();
    let (_, descriptors, _) = run(outcome(&shell("ls -l /proc/self/fd")));
    assert!(descriptors.contains("pipe:"), "{descriptors}");
    assert!(
        !descriptors.contains("socket:") && !descriptors.contains("anon_inode"),
        "{descriptors}"
    );
    let links = descriptors
        .lines()
        .filter(|line| line.contains(" -> "))
        .count();
    assert_eq!(
        links, 4,
        "three, and the folder that `ls` reads: {descriptors}"
    );
}

#[test]
fn arguments_arrive_one_by_one() {
    let mut printf = shell("");
    printf.program = "/usr/bin/printf".to_owned();
    let arguments = [
        "[%s]", "a b", "", "$HOME", "`id`", "*", ";id", "\n", "'\"\\",
    ];
    printf.arguments = arguments.map(str::to_owned).to_vec();
    check(
        &printf,
        Exit::Status(0),
        "[a b][][$HOME][`id`][*][;id][\n]['\"\\]",
        "",
    );
}

#[test]
fn limits_are_set() {
    run(async {
        // The limits come a moment after the start: the child waits for its input to be closed.
        let mut limited = shell("read x; ulimit -c; ulimit -v");
        limited.memory_bytes_max = Some(512 << 20);
        limited.input = Some(b"x\n".to_vec());
        let (exit, out, err) = outcome(&limited).await;
        assert_eq!(
            (exit, out.as_str(), err.as_str()),
            (Exit::Status(0), "0\n524288\n", "")
        );
    });
}

#[test]
fn what_cannot_be_started_is_explained() {
    run(async {
        let children = Children::new(1, None);
        let refused = |command: &Command| match children.spawn(command) {
            Ok(_) => panic!("{command:?} was started"),
            Err(error) => error.to_string(),
        };
        let mut command = shell("");
        command.program = "/bin/no-such-program".to_owned();
        assert_eq!(
            refused(&command),
            "the program `/bin/no-such-program` is not installed on the server"
        );
        command.program = "/etc/passwd".to_owned();
        assert!(refused(&command).starts_with("the program `/etc/passwd` cannot be started: "));
        command = shell("");
        command.directory = "/no/such/folder".into();
        assert_eq!(
            refused(&command),
            "the folder to run in, `/no/such/folder`, does not exist"
        );
        command = shell("");
        command.arguments.push("a\0b".to_owned());
        assert!(refused(&command).contains("cannot be started"));
        assert_eq!(children.running(), 0);
    });
}

#[test]
fn children_are_limited() {
    run(async {
        let metrics = Rc::new(Metrics::new());
        let children = Children::new(2, Some(Rc::clone(&metrics)));
        let first = children.spawn(&shell("exec sleep 1000")).unwrap();
        let second = children.spawn(&shell("exec sleep 1000")).unwrap();
        assert_eq!(children.running(), 2);
        let Err(error) = children.spawn(&shell("true")) else {
            panic!("a third of two was started");
        };
        assert!(
            error.to_string().contains("`limits.children` (2)"),
            "{error}"
        );
        let mut text = String::new();
        metrics.render(&mut text);
        assert!(
            text.contains("mcp_limit_hits_total{limit=\"children\"} 1"),
            "{text}"
        );
        children.set_max(3);
        drop(children.spawn(&shell("true")).unwrap());
        drop((first, second));
        until("places to be given back", || children.running() == 0).await;
    });
}

#[test]
fn dropping_kills_the_whole_group() {
    run(async {
        let children = Children::new(1, None);
        let child = children
            .spawn(&shell(
                "sleep 1000 & echo $! $$; trap '' TERM INT HUP; wait",
            ))
            .unwrap();
        let pids = Rc::new(RefCell::new(String::new()));
        let line = Rc::clone(&pids);
        let task = spawn(async move {
            let mut take =
                |bytes: &[u8]| line.borrow_mut().push_str(&String::from_utf8_lossy(bytes));
            child.run(&mut take, &mut |_| ()).await
        });
        until("the first line", || pids.borrow().ends_with('\n')).await;
        let pids = pids.take();
        let pids: Vec<&str> = pids.split_whitespace().collect();
        assert!(pids.len() == 2 && pids.iter().all(|pid| is_alive(pid)));
        drop(task);
        until("the child to be reaped", || children.running() == 0).await;
        until("its child to be gone", || !is_alive(pids[0])).await;
        assert!(!std::path::Path::new(&format!("/proc/{}", pids[1])).exists());
    });
}

#[test]
fn the_end_of_the_executor_kills_too() {
    let (pid, children) = run(async {
        let children = Children::new(1, None);
        let child = children.spawn(&shell("exec sleep 1000")).unwrap();
        let pid = child.id().to_string();
        spawn(async move { child.run(&mut |_| (), &mut |_| ()).await }).detach();
        sleep(Duration::ZERO).await;
        assert!(is_alive(&pid));
        (pid, children)
    });
    assert_eq!(children.running(), 0);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}

/// Runs the named test of this file again in a process of its own; true inside it.
#[track_caller]
fn is_alone(test: &str) -> bool {
    const ALONE: &str = "SISKIN_TEST_ALONE";
    let name = format!("rt::process::tests::{test}");
    if std::env::var(ALONE).as_deref() == Ok(test) {
        return true;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([&name, "--exact", "--nocapture", "--test-threads=1"])
        .env(ALONE, test)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}\n{log}"
    );
    false
}

/// Descriptors of this process that are pipes or process handles, and all of them.
fn descriptors() -> (usize, usize) {
    let links: Vec<_> = std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
        .map(|link| link.to_string_lossy().into_owned())
        .collect();
    let ours = links
        .iter()
        .filter(|link| link.starts_with("pipe:") || link.contains("pidfd"));
    (ours.count(), links.len())
}

/// Processes, alive or zombies, whose parent we are.
fn own_children() -> BTreeSet<String> {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let texts = threads
        .filter_map(|thread| std::fs::read_to_string(thread.unwrap().path().join("children")).ok());
    let pids = texts.flat_map(|text| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    pids.collect()
}

/// Processes anywhere that have `mark` in their environment.
fn marked(mark: &str) -> Vec<String> {
    let mark = format!("SISKIN_TEST_MARK={mark}");
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let is_marked = |path: &std::path::Path| {
        std::fs::read(path.join("environ")).is_ok_and(|environ| {
            environ
                .split(|byte| *byte == 0)
                .any(|entry| entry == mark.as_bytes())
        })
    };
    processes
        .filter(|process| is_marked(&process.path()))
        .map(|process| process.file_name().to_string_lossy().into_owned())
        .collect()
}

/// What a child does, and whether it ends by itself; the others are cancelled once they have written something.
const KINDS: [(&str, bool); 8] = [
    ("kill -SEGV $$", true),
    ("echo out; exit 7", true),
    ("echo ready; exec sleep 1000", false),
    (
        "trap '' TERM INT HUP QUIT; echo ready; while :; do sleep 1000; done",
        false,
    ),
    ("exec yes", false),
    // The first ends, the second is an orphan that holds the output open.
    ("(sleep 1000 & exec sleep 1000) & echo ready", true),
    (
        "(sh -c 'sleep 1000 & sleep 1000 & echo ready; wait' &); sleep 1000",
        false,
    ),
    // Out of the group, and from there again.
    (
        "setsid sh -c 'setsid sh -c \"echo ready; sleep 1000 & wait\" & wait' & wait",
        false,
    ),
];

#[test]
fn a_hundred_unruly_children_leave_nothing_behind() {
    if !is_alone("a_hundred_unruly_children_leave_nothing_behind") {
        return;
    }
    run(async {
        adopt_orphans().unwrap();
        let mark = std::process::id().to_string();
        let children = Children::new(100, None);
        // The reactor and its timer are there from now on.
        sleep(Duration::from_millis(1)).await;
        let before = descriptors();
        assert!(own_children().is_empty());
        let finished = Rc::new(Cell::new(0));
        let written = Rc::new(Notify::new());
        let mut tasks: Vec<(Task<()>, Rc<Cell<usize>>, bool)> = Vec::new();
        for n in 0..100 {
            let (script, ends) = KINDS[n % KINDS.len()];
            let mut command = shell(script);
            command
                .environment
                .push(("SISKIN_TEST_MARK".to_owned(), mark.clone()));
            let child = children.spawn(&command).unwrap();
            let bytes = Rc::new(Cell::new(0));
            let (count, finished, written) =
                (Rc::clone(&bytes), Rc::clone(&finished), Rc::clone(&written));
            let task = spawn(async move {
                let mut take = |piece: &[u8]| {
                    count.set(count.get() + piece.len());
                    written.notify_all();
                };
                child.run(&mut take, &mut |_| ()).await;
                finished.set(finished.get() + 1);
            });
            tasks.push((task, bytes, ends));
        }
        assert_eq!(children.running(), 100);
        assert!(children.spawn(&shell("true")).is_err());
        let ending = tasks.iter().filter(|(.., ends)| *ends).count();
        until("those that end by themselves", || finished.get() == ending).await;
        until("a word from all others", || {
            tasks
                .iter()
                .all(|(_, bytes, ends)| *ends || bytes.get() > 0)
        })
        .await;
        assert!(!marked(&mark).is_empty(), "the search finds the living");
        drop(tasks);
        until("everything to be reaped", || children.running() == 0).await;
        until("the strays to be gone", || own_children().is_empty()).await;
        assert_eq!(marked(&mark), [""; 0]);
        assert_eq!(descriptors(), before);
    });
}

#[test]
fn without_adoption_the_group_goes_all_the_same() {
    if !is_alone("without_adoption_the_group_goes_all_the_same") {
        return;
    }
    run(async {
        let mark = std::process::id().to_string();
        let children = Children::new(10, None);
        for (script, _) in &KINDS[..7] {
            let mut command = shell(script);
            command
                .environment
                .push(("SISKIN_TEST_MARK".to_owned(), mark.clone()));
            let child = children.spawn(&command).unwrap();
            // Some end, the others run into the time.
            let (mut take_out, mut take_err) = (|_: &[u8]| (), |_: &[u8]| ());
            let running = child.run(&mut take_out, &mut take_err);
            let _ = timeout(Duration::from_millis(20), running).await;
        }
        until("everything to be reaped", || children.running() == 0).await;
        until("the last to be gone", || marked(&mark).is_empty()).await;
        assert!(own_children().is_empty());
    });
}

#[test]
fn the_search_for_children_finds_them_without_the_kernels_list() {
    let mut child = std::process::Command::new("sleep")
        .arg("1000")
        .spawn()
        .unwrap();
    let pid = Pid::from_child(&child);
    assert!(group::children_by_search().contains(&pid));
    assert!(group::strays().contains(&pid));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!group::children_by_search().contains(&pid));
}
