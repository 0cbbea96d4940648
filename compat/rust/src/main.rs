//! Scenarios of rskafka: `--list` prints them as JSON; `SCENARIO BOOTSTRAP NAME` runs one (see ../../harness/program.ts).
mod harness;
mod scenarios;

use harness::Test;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "--list" {
        let listed: Vec<String> = scenarios::ALL
            .iter()
            .map(|(name, own)| {
                format!(
                    r#"{{"name":"{name}","own":{own},"ours":{},"timeoutSeconds":60}}"#,
                    name.contains("codecs")
                )
            })
            .collect();
        println!("[{}]", listed.join(","));
        return;
    }
    scenarios::run(&args[1], &Test::new(args[2].clone(), args[3].clone())).await;
}
