//! What can go wrong between Porthole and its database.

use sea_orm::{DbErr, SqlErr};

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such row.
    #[error("there is no such {what}")]
    NotFound {
        /// The noun, such as `user`.
        what: &'static str,
    },
    /// Something else already has this name, or the row is still in use.
    #[error("{what}")]
    Conflict {
        /// What clashes, as a sentence without the full stop.
        what: String,
    },
    /// The database does not answer, or is too busy; the same call may work later.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The address of the database can not be used.
    #[error("the database address can not be used: {0}")]
    BadUrl(String),
    /// A row holds what this version can not read.
    #[error("the database holds a value that can not be read: {0}")]
    Corrupt(String),
    /// The database refused a statement; a defect of ours.
    #[error("the database refused a statement: {0}")]
    Statement(String),
}

impl StoreError {
    /// [`StoreError::NotFound`] of this noun.
    pub const fn not_found(what: &'static str) -> Self {
        Self::NotFound { what }
    }

    /// [`StoreError::Conflict`] with this sentence.
    pub fn conflict(what: impl Into<String>) -> Self {
        Self::Conflict { what: what.into() }
    }

    /// Gives a clash of unique values or a broken reference the words of the noun; other errors pass.
    pub(crate) fn naming_conflict(error: DbErr, what: impl FnOnce() -> String) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::Conflict { what: what() },
            _ => error.into(),
        }
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(text)) => {
                return Self::Conflict {
                    what: format!("it exists already ({text})"),
                };
            }
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => {
                return Self::Conflict {
                    what: "it refers to something that does not exist, or is still in use".into(),
                };
            }
            _ => {}
        }
        match error {
            DbErr::Conn(e) => Self::Unavailable(e.to_string()),
            DbErr::ConnectionAcquire(e) => Self::Unavailable(e.to_string()),
            DbErr::RecordNotFound(_) | DbErr::RecordNotUpdated => Self::NotFound { what: "row" },
            DbErr::Json(e) | DbErr::Type(e) => Self::Corrupt(e),
            other => {
                let text = other.to_string();
                // SQLite's word for a lock that was not free within the busy time-out.
                if text.contains("database is locked") || text.contains("disk is full") {
                    Self::Unavailable(text)
                } else {
                    Self::Statement(text)
                }
            }
        }
    }
}
