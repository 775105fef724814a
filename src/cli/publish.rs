//! `veille publish`: every output again.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Failure, open, output};
use crate::config::Config;
use crate::pipeline::{self, Archives, Attendance, Context, wall_clock};
use crate::store::Handle;
use crate::text::count;

pub(super) fn run(config: Config) -> Result<(), Failure> {
    let directory = config.publish.directory.clone();
    pipeline::refuse_others(&config)?;
    let store = pipeline::open_store(&config)?;
    let (store, thread) = Handle::new(store)?;
    let written = open::runtime()?.block_on(async {
        let node = pipeline::join(&config, true)?;
        let context = Arc::new(Context::sharing(config, store, node)?);
        let attendance = Attendance::begin(&context).await?;
        if context.has_jobs() {
            pipeline::relabel(&context).await?;
        }
        let published =
            pipeline::publish(&context, Archives::All, &[], wall_clock::current(), &CancellationToken::new()).await?;
        attendance.end(&context).await?;
        Ok::<_, Failure>(published.map(|published| published.written).transpose()?.unwrap_or_default())
    })?;
    let _ = thread.join();
    output::note(&format!(
        "`{}`: {} written, {} right already, {} removed",
        directory.display(),
        count(written.changed, "file"),
        written.unchanged,
        written.removed
    ));
    Ok(())
}
