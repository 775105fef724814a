//! A part of a document that may be larger than memory, on disk while the document is written.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// A file without a name: it is gone when nobody holds it, also after a crash.
#[derive(Debug)]
pub struct Spool(BufWriter<File>);

impl Spool {
    /// Makes one in a folder, under a name that it has only for a moment.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
        fs::remove_file(path)?;
        Ok(Self(BufWriter::new(file)))
    }

    /// Copies all that was written.
    pub(super) fn copy(&mut self, to: &mut dyn Write) -> io::Result<()> {
        self.0.flush()?;
        let file = self.0.get_mut();
        file.seek(SeekFrom::Start(0))?;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let length = file.read(&mut buffer)?;
            if length == 0 {
                return Ok(());
            }
            to.write_all(buffer.get(..length).unwrap_or_default())?;
        }
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
