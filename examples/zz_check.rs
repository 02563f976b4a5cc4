//! scratch
#![allow(clippy::print_stdout, missing_docs)]
fn main() {
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&path).unwrap();
        let id = std::path::Path::new(&path).file_stem().unwrap().to_string_lossy().into_owned();
        match siskin::tools::declarative::Pack::read(&path, &id, &text) {
            Ok(pack) => println!("{path}: ok, {} names", pack.tool_names().count()),
            Err(problems) => for p in problems { println!("{p}") },
        }
    }
}
