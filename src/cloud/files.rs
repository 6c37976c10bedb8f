//! Files that somebody named: regular ones, of bearable size. What a name leads to may be a device without an end
//! or a pipe into which nobody writes, and neither may hang or fill this process.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

use zeroize::Zeroizing;

/// More than any configuration or list of certificates: the system's own roots are 0.3 MB.
pub const LARGEST: u64 = 4 * 1024 * 1024;

/// The whole file, in memory that is wiped.
pub fn read(path: &Path, largest: u64) -> Result<Zeroizing<Vec<u8>>> {
    // looked at before it is opened: opening a pipe waits for who writes into it
    let found = std::fs::metadata(path)?;
    if !found.is_file() {
        return Err(Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let too_large =
        || Error::new(ErrorKind::FileTooLarge, format!("it is larger than {largest} bytes"));
    if found.len() > largest {
        return Err(too_large());
    }
    let room = usize::try_from(found.len()).unwrap_or_default() + 1;
    let mut content = Zeroizing::new(Vec::with_capacity(room));
    // it may have grown meanwhile, or be one of the kernel's, which say that they are empty
    File::open(path)?.take(largest + 1).read_to_end(&mut content)?;
    if content.len() as u64 > largest { Err(too_large()) } else { Ok(content) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(*read(&path, 5).unwrap(), b"12345");
        let error = read(&path, 4).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 4 bytes");
        assert_eq!(read(&folder.path().join("g"), 5).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn what_never_ends_is_not_begun() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        for path in [Path::new("/dev/zero"), &pipe, folder.path()] {
            let error = read(path, LARGEST).unwrap_err();
            assert_eq!(error.to_string(), "it is not a regular file", "{}", path.display());
        }
    }
}
