//! When sessions ran, for limits on hours. Written with each change of a session's state.

use crate::{
    Store, StoreError,
    columns::{from_column, to_column},
    entity::{kasm_runs, user_groups},
    sessions::Session,
};
use porthole_model::{
    ids::{GroupId, SessionId, UserId},
    session::SessionState,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait,
    QueryFilter, QuerySelect, QueryTrait, sea_query::Expr,
};
use time::{OffsetDateTime, PrimitiveDateTime};
use uuid::Uuid;

/// Whose runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunsOf {
    /// One user's.
    User(UserId),
    /// Those of a group's members, as they are now.
    Group(GroupId),
}

/// When sessions ran.
#[derive(Debug, Clone, Copy)]
pub struct Runs<'a>(&'a Store);

impl Store {
    /// When sessions ran.
    pub fn runs(&self) -> Runs<'_> {
        Runs(self)
    }
}

impl Runs<'_> {
    /// Beginning and, where it is over, end of each run that reaches past `from`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn since(
        self,
        of: RunsOf,
        from: Option<OffsetDateTime>,
    ) -> Result<Vec<(OffsetDateTime, Option<OffsetDateTime>)>, StoreError> {
        let mut query = kasm_runs::Entity::find()
            .select_only()
            .column(kasm_runs::Column::StartDate)
            .column(kasm_runs::Column::EndDate);
        query = match of {
            RunsOf::User(id) => query.filter(kasm_runs::Column::UserId.eq(id.to_string())),
            RunsOf::Group(id) => {
                let members = user_groups::Entity::find()
                    .select_only()
                    .column(user_groups::Column::UserId)
                    .filter(user_groups::Column::GroupId.eq(id.to_string()));
                query.filter(kasm_runs::Column::UserId.in_subquery(members.into_query()))
            }
        };
        if let Some(from) = from {
            query = query.filter(
                Condition::any()
                    .add(kasm_runs::Column::EndDate.is_null())
                    .add(kasm_runs::Column::EndDate.gt(to_column(from))),
            );
        }
        let rows: Vec<(PrimitiveDateTime, Option<PrimitiveDateTime>)> =
            query.into_tuple().all(self.0.db()).await?;
        Ok(rows
            .into_iter()
            .map(|(start, end)| (from_column(start), end.map(from_column)))
            .collect())
    }
}

/// Begins a run when the session came to run, and ends it when it no longer does.
pub(crate) async fn note(
    db: &impl ConnectionTrait,
    session: &Session,
    before: SessionState,
    at: OffsetDateTime,
) -> Result<(), StoreError> {
    let runs = |state| state == SessionState::Running;
    match (runs(before), runs(session.state)) {
        (false, true) => {
            let row = kasm_runs::ActiveModel {
                kasm_run_id: Set(Uuid::now_v7().to_string()),
                kasm_id: Set(session.id.to_string()),
                user_id: Set(session.user_id.to_string()),
                start_date: Set(to_column(at)),
                end_date: Set(None),
            };
            row.insert(db).await?;
            Ok(())
        }
        (true, false) => end(db, session.id, at).await,
        _ => Ok(()),
    }
}

/// Ends what runs of a session.
pub(crate) async fn end(
    db: &impl ConnectionTrait,
    id: SessionId,
    at: OffsetDateTime,
) -> Result<(), StoreError> {
    kasm_runs::Entity::update_many()
        .col_expr(kasm_runs::Column::EndDate, Expr::value(to_column(at)))
        .filter(kasm_runs::Column::KasmId.eq(id.to_string()))
        .filter(kasm_runs::Column::EndDate.is_null())
        .exec(db)
        .await?;
    Ok(())
}
