//! Rows in bulk, as COPY writes them: one line each.

use super::driver::trouble;
use super::line::{Cells, cells};
use crate::postgres::trouble::Trouble;
use bytes::BytesMut;
use futures_util::StreamExt;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use tokio_postgres::{Client, CopyOutStream};

/// Rows that are on their way. Their session can be asked nothing else before they are taken or
/// given up: its answer would wait behind them for ever.
pub struct CopyRows<'a> {
    session: PhantomData<&'a mut Client>,
    stream: Pin<Box<CopyOutStream>>,
    read: BytesMut,
}

impl CopyRows<'_> {
    /// What a COPY sends.
    pub(super) fn new(stream: CopyOutStream) -> Self {
        Self { session: PhantomData, stream: Box::pin(stream), read: BytesMut::new() }
    }

    /// The next row; none after the last.
    pub async fn next(&mut self) -> Result<Option<Cells>, Trouble> {
        loop {
            if let Some(end) = self.read.iter().position(|&byte| byte == b'\n') {
                let line = self.read.split_to(end + 1);
                return cells(&line[..end]).map(Some);
            }
            match self.stream.next().await {
                Some(chunk) => self.read.extend_from_slice(&chunk.map_err(trouble)?),
                None if self.read.is_empty() => return Ok(None),
                None => return Err(Trouble::malformed("rows in bulk end in the middle of one")),
            }
        }
    }
}

impl fmt::Debug for CopyRows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopyRows").finish_non_exhaustive()
    }
}
