//! The connection to the database.

use crate::{StoreError, migration::Migrator};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};
use sea_orm_migration::MigratorTrait;
use std::time::Duration;

/// How long a statement waits for another writer of the same SQLite file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections to a database; SQLite has one writer at a time whatever this says.
const CONNECTIONS: u32 = 8;
/// Held while tables are brought up to date; the number is ours alone in the database.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(8081982407264330)";

/// The database, opened and migrated. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    db: DatabaseConnection,
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// Rows at most.
    pub limit: u64,
    /// Rows to leave out first.
    pub offset: u64,
    /// Only rows whose names hold this text, in any case.
    pub search: Option<String>,
}

/// A part of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// How many there are in all.
    pub total: u64,
}

impl Store {
    /// Opens the database and brings its tables up to date.
    ///
    /// `sqlite:///path/porthole.db` (made when absent), `sqlite::memory:` (for tests; gone when
    /// dropped) or `postgres://user:password@host/name`.
    ///
    /// # Errors
    /// [`StoreError::BadUrl`] for any other scheme, [`StoreError::Unavailable`] when it does not
    /// answer within 10 seconds.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let store = Self::connect(url).await?;
        // Servers that start together take turns; SQLite has one writer anyway.
        let turn = if store.is_postgres() {
            let turn = store.db.begin().await?;
            turn.execute_unprepared(MIGRATION_LOCK).await?;
            Some(turn)
        } else {
            None
        };
        Migrator::up(&store.db, None).await?;
        if let Some(turn) = turn {
            turn.commit().await?;
        }
        Ok(store)
    }

    async fn connect(url: &str) -> Result<Self, StoreError> {
        let sqlite = url.starts_with("sqlite:");
        if !sqlite && !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            let scheme = url.split(':').next().unwrap_or_default();
            return Err(StoreError::BadUrl(format!(
                "{scheme:?} is not known; use sqlite:///path/porthole.db or postgres://user:password@host/name"
            )));
        }
        let memory = url.contains(":memory:") || url.contains("mode=memory");
        let mut options = ConnectOptions::new(if sqlite && !memory && !url.contains("mode=") {
            format!("{url}{}mode=rwc", if url.contains('?') { '&' } else { '?' })
        } else {
            url.to_owned()
        });
        options
            .sqlx_logging(false)
            .connect_timeout(Duration::from_secs(10))
            .acquire_timeout(Duration::from_secs(10))
            // A database in memory lives and dies with its one connection.
            .max_connections(if memory { 1 } else { CONNECTIONS })
            .min_connections(1)
            .map_sqlx_sqlite_opts(|options| {
                options
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Normal)
                    .foreign_keys(true)
                    .busy_timeout(BUSY_TIMEOUT)
            });
        if memory {
            options
                .idle_timeout(None::<Duration>)
                .max_lifetime(None::<Duration>);
        }
        let db = Database::connect(options)
            .await
            .map_err(|e| StoreError::Unavailable(e.to_string()))?;
        Ok(Self { db })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.db
            .ping()
            .await
            .map_err(|e| StoreError::Unavailable(e.to_string()))
    }

    /// Closes all connections; other clones stop working too.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn close(self) -> Result<(), StoreError> {
        Ok(self.db.close().await?)
    }

    /// For reading, and for single statements that write.
    pub(crate) fn db(&self) -> &DatabaseConnection {
        &self.db
    }

    /// A transaction that will write. On SQLite it takes the write lock at once, because one that
    /// reads first and writes later can be refused without waiting when another wrote in between.
    pub(crate) async fn write(&self) -> Result<DatabaseTransaction, StoreError> {
        Ok(self
            .db
            .begin_with_options(TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..Default::default()
            })
            .await?)
    }

    /// Whether this is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.db.get_database_backend() == DbBackend::Postgres
    }
}
