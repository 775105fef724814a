//! The `veille` command: everything is in the library.

fn main() -> std::process::ExitCode {
    veille::cli::main()
}
