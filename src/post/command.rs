//! A program of the operator's: one line of JSON on its standard input, its exit code decides.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::time::timeout;

use super::Receipt;

/// Much of what a program says on its standard error that is repeated.
const SAID_BYTES_MAX: u64 = 4 << 10;

/// `EX_TEMPFAIL` of sysexits: the program can take nothing now.
const LATER: i32 = 75;

/// Runs a program with `line` on its standard input. No shell is there; its output goes nowhere. It ends with us, or when
/// `limit` is over.
pub(super) async fn run_line(words: &[String], line: &str, limit: Duration) -> Receipt {
    let Some((program, arguments)) = words.split_first() else { return Receipt::taken() };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            return Receipt::Stopped {
                why: format!(
                    "`{program}` cannot be run: {error}; correct `command`, then try it with `veille post --test`"
                ),
            };
        }
    };
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let line = format!("{line}\n");
    let write = async {
        if let Some(mut stdin) = stdin {
            // A program that reads nothing may be satisfied all the same.
            let _ = stdin.write_all(line.as_bytes()).await;
        }
    };
    let read = async {
        let mut said = Vec::new();
        if let Some(stderr) = stderr {
            let mut stderr = stderr.take(SAID_BYTES_MAX);
            let _ = stderr.read_to_end(&mut said).await;
            // The rest is read and left, so that the program does not wait for a reader.
            let _ = tokio::io::copy(&mut stderr.into_inner(), &mut tokio::io::sink()).await;
        }
        said
    };
    let ended = timeout(limit, async {
        // A program that leaves a child behind has ended when it has, whoever still holds its output.
        let (status, said) = tokio::select! {
            (status, ((), said)) = async { tokio::join!(child.wait(), async { tokio::join!(write, read) }) } => (status, said),
        };
        (status, said)
    });
    match ended.await {
        Ok((Ok(status), _)) if status.success() => Receipt::taken(),
        Ok((Ok(status), said)) => {
            let said = crate::text::one_line(&String::from_utf8_lossy(&said));
            let said: String = said.chars().filter(|c| !c.is_control()).take(200).collect();
            let said = if said.is_empty() { said } else { format!(": {said}") };
            match status.code() {
                Some(LATER) => Receipt::Later { why: format!("`{program}` ended with {LATER}{said}"), wait: None },
                Some(code) => Receipt::Refused { why: format!("`{program}` ended with {code}{said}") },
                None => Receipt::Later { why: format!("`{program}` was killed{said}"), wait: None },
            }
        }
        Ok((Err(error), _)) => Receipt::Later { why: format!("`{program}` cannot be waited for: {error}"), wait: None },
        Err(_) => Receipt::Later {
            why: format!("`{program}` took more than {} s and was ended", limit.as_secs()),
            wait: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(script: &str, expected: Receipt) {
        let words = ["sh", "-c", script].map(str::to_owned);
        assert_eq!(run_line(&words, "{\"event\":\"new\"}", Duration::from_secs(5)).await, expected, "{script}");
    }

    fn refused(why: &str) -> Receipt {
        Receipt::Refused { why: why.into() }
    }

    #[tokio::test]
    async fn the_exit_code_decides() {
        check("true", Receipt::taken()).await;
        check("exit 3", refused("`sh` ended with 3")).await;
        check("echo 'no\nroom' >&2; exit 1", refused("`sh` ended with 1: no room")).await;
        check("exit 75", Receipt::Later { why: "`sh` ended with 75".into(), wait: None }).await;
        check("kill -9 $$", Receipt::Later { why: "`sh` was killed".into(), wait: None }).await;
    }

    #[tokio::test]
    async fn a_program_gets_one_line() {
        check("read line && test \"$line\" = '{\"event\":\"new\"}' && ! read more", Receipt::taken()).await;
    }

    #[tokio::test]
    async fn much_output_blocks_nobody() {
        check("yes | head -c 3000000; yes | head -c 3000000 >&2", Receipt::taken()).await;
    }

    #[tokio::test]
    async fn a_program_that_takes_too_long_is_ended() {
        let words = ["sleep", "60"].map(str::to_owned);
        let receipt = run_line(&words, "{}", Duration::from_millis(100)).await;
        assert!(matches!(&receipt, Receipt::Later { why, .. } if why.contains("was ended")), "{receipt:?}");
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_stops_the_post() {
        let receipt = run_line(&["/no/such/program".to_owned()], "{}", Duration::from_secs(5)).await;
        assert!(matches!(&receipt, Receipt::Stopped { why } if why.contains("cannot be run")), "{receipt:?}");
    }
}
