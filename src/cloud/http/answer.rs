//! An answer, and how much of them one list may take.

use http::header::DATE;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{Error, Request, retry, words};

/// An answer of any status. Its body may hold a secret: it is wiped on drop and not shown.
#[derive(Clone)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Zeroizing<Vec<u8>>,
}

impl Response {
    /// The id that the service's operators find the call by.
    pub fn request_id(&self) -> Option<String> {
        const NAMES: [&str; 4] =
            ["x-openstack-request-id", "x-compute-request-id", "opc-request-id", "audit-id"];
        NAMES
            .iter()
            .find_map(|name| self.headers.get(*name)?.to_str().ok())
            .map(|id| words::one_line(&id.chars().take(256).collect::<String>()))
            .filter(|id| !id.is_empty())
    }

    /// The service's clock, in whole seconds.
    pub fn date(&self) -> Option<Timestamp> {
        retry::http_date(self.headers.get(DATE)?.to_str().ok()?)
    }

    /// What a refusal says, where it is JSON. One that nobody would read for its length says nothing: as a tree it
    /// would take many times its own room.
    pub fn refusal(&self) -> Option<serde_json::Value> {
        const LONGEST: usize = 256 * 1024;
        if self.body.len() > LONGEST {
            return None;
        }
        serde_json::from_slice(&self.body).ok()
    }

    /// A body that is not the JSON it should be, in words: an HTML page is named by its title.
    pub fn what_it_is_instead(&self) -> String {
        words::instead_of_json(self)
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("request_id", &self.request_id())
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What is left of what the pages of one list may take together: a server that never comes to the
/// last page, or fills each to the brim, ends in an error and not in the machine's memory.
#[derive(Clone, Copy, Debug)]
pub struct Pages {
    pages: usize,
    bytes: usize,
}

impl Pages {
    /// For a list of at most so many bytes in all.
    pub fn of(bytes: usize) -> Self {
        Self { pages: 1000, bytes }
    }

    /// Takes one page into account.
    pub fn take(&mut self, request: &Request, page: &Response) -> Result<(), Error> {
        let too_much = |reason: &str| Error::Unreadable {
            request: request.label(),
            reason: reason.to_owned(),
            request_id: page.request_id(),
        };
        self.pages =
            self.pages.checked_sub(1).ok_or_else(|| too_much("the list has no last page"))?;
        self.bytes = self
            .bytes
            .checked_sub(page.body.len())
            .ok_or_else(|| too_much("the pages of the list are too large together"))?;
        Ok(())
    }
}

impl Default for Pages {
    /// 32 MiB: tens of thousands of what a cloud lists for one project.
    fn default() -> Self {
        Self::of(32 * 1024 * 1024)
    }
}
