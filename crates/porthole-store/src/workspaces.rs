//! Workspaces: what users can launch.

use crate::{
    Page, PageRequest, Store, StoreError,
    columns::{from_column, from_json, now, parse, to_json},
    entity::{group_images, user_groups, workspaces},
    users::contains,
};
use porthole_model::{
    ids::{GroupId, UserId, WorkspaceId},
    image::ImageRef,
    protection::Protection,
    resources::{Bytes, MilliCores},
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, IntoActiveModel, JoinType,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, Func, LikeExpr},
};
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;

/// A workspace.
#[derive(Debug, Clone, PartialEq)]
pub struct Workspace {
    /// The id.
    pub id: WorkspaceId,
    /// What it is and how it looks.
    pub settings: WorkspaceSettings,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
}

/// All that can be changed of a workspace.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkspaceSettings {
    /// The name that people see; unique.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The container image.
    pub image: ImageRef,
    /// The picture's address, or a data URI.
    pub icon: String,
    /// Where it is listed.
    pub categories: Vec<String>,
    /// Processor time for each session.
    pub cores: MilliCores,
    /// Memory for each session.
    pub memory: Bytes,
    /// Shared memory (`/dev/shm`) for each session.
    pub shm_size: Bytes,
    /// Whether it can be launched.
    pub enabled: bool,
    /// Whether it is left out of the dashboard.
    pub hidden: bool,
    /// Environment variables for its containers.
    pub environment: BTreeMap<String, String>,
    /// What is burnt into the pixels of its sessions.
    pub protection: Protection,
    /// The groups whose members may launch it.
    pub groups: BTreeSet<GroupId>,
}

/// The workspaces.
#[derive(Debug, Clone, Copy)]
pub struct Workspaces<'a>(&'a Store);

impl Store {
    /// The workspaces.
    pub fn workspaces(&self) -> Workspaces<'_> {
        Workspaces(self)
    }
}

const NOT_FOUND: StoreError = StoreError::not_found("workspace");

impl Workspaces<'_> {
    /// One workspace.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn find(self, id: WorkspaceId) -> Result<Workspace, StoreError> {
        let row = workspaces::Entity::find_by_id(id.to_string())
            .one(self.0.db())
            .await?;
        one(self.0.db(), row.ok_or(NOT_FOUND)?).await
    }

    /// Whether one of the user's groups may launch it.
    pub async fn may_launch(self, user: UserId, id: WorkspaceId) -> Result<bool, StoreError> {
        Ok(of_user(user)
            .filter(group_images::Column::ImageId.eq(id.to_string()))
            .count(self.0.db())
            .await?
            > 0)
    }

    /// Workspaces by name: all, or the enabled and not hidden ones that `user`'s groups may launch.
    pub async fn list(
        self,
        user: Option<UserId>,
        request: &PageRequest,
    ) -> Result<Page<Workspace>, StoreError> {
        let mut query = workspaces::Entity::find();
        if let Some(user) = user {
            let allowed = of_user(user)
                .select_only()
                .column(group_images::Column::ImageId);
            query = query
                .filter(workspaces::Column::Enabled.eq(true))
                .filter(workspaces::Column::Hidden.eq(false))
                .filter(workspaces::Column::ImageId.in_subquery(allowed.into_query()));
        }
        if let Some(search) = &request.search {
            let pattern = contains(search);
            let like = |column: workspaces::Column| {
                Expr::expr(Func::lower(Expr::col(column)))
                    .like(LikeExpr::new(pattern.clone()).escape('\\'))
            };
            query = query.filter(
                Condition::any()
                    .add(like(workspaces::Column::FriendlyName))
                    .add(like(workspaces::Column::Description))
                    .add(like(workspaces::Column::Categories))
                    .add(like(workspaces::Column::Name)),
            );
        }
        let total = query.clone().count(self.0.db()).await?;
        let rows = query
            .order_by_asc(workspaces::Column::FriendlyName)
            .offset(request.offset)
            .limit(request.limit)
            .all(self.0.db())
            .await?;
        Ok(Page {
            items: with_groups(self.0.db(), rows).await?,
            total,
        })
    }

    /// How many there are.
    pub async fn count(self) -> Result<u64, StoreError> {
        Ok(workspaces::Entity::find().count(self.0.db()).await?)
    }

    /// Adds a workspace.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name is taken, [`StoreError::NotFound`] for an unknown group.
    pub async fn create(self, settings: WorkspaceSettings) -> Result<Workspace, StoreError> {
        let tx = self.0.write().await?;
        let id = WorkspaceId::new();
        let mut row = columns(&settings)?;
        row.image_id = Set(id.to_string());
        row.created_at = Set(now());
        let row = row
            .insert(&tx)
            .await
            .map_err(|e| StoreError::naming_conflict(e, || taken(&settings.name)))?;
        set_groups(&tx, id, &settings.groups).await?;
        let workspace = one(&tx, row).await?;
        tx.commit().await?;
        Ok(workspace)
    }

    /// Changes a workspace: `change` gets what is there and gives what shall be.
    ///
    /// # Errors
    /// Those of `change`; [`StoreError::NotFound`] for an unknown workspace or group;
    /// [`StoreError::Conflict`] when the name is taken.
    pub async fn update<E: From<StoreError>>(
        self,
        id: WorkspaceId,
        change: impl FnOnce(WorkspaceSettings) -> Result<WorkspaceSettings, E>,
    ) -> Result<Workspace, E> {
        let tx = self.0.write().await?;
        let row = workspaces::Entity::find_by_id(id.to_string())
            .one(&tx)
            .await
            .map_err(StoreError::from)?
            .ok_or(NOT_FOUND)?;
        let before = one(&tx, row.clone()).await?.settings;
        let settings = change(before)?;
        let mut changed = columns(&settings)?;
        let old = row.into_active_model();
        changed.image_id = old.image_id;
        changed.created_at = old.created_at;
        let row = changed
            .update(&tx)
            .await
            .map_err(|e| StoreError::naming_conflict(e, || taken(&settings.name)))?;
        set_groups(&tx, id, &settings.groups).await?;
        let workspace = one(&tx, row).await?;
        tx.commit().await.map_err(StoreError::from)?;
        Ok(workspace)
    }

    /// Deletes a workspace.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] when sessions still stand on it.
    pub async fn delete(self, id: WorkspaceId) -> Result<(), StoreError> {
        let deleted = workspaces::Entity::delete_by_id(id.to_string())
            .exec(self.0.db())
            .await?;
        if deleted.rows_affected == 0 {
            Err(NOT_FOUND)
        } else {
            Ok(())
        }
    }
}

/// The rights to launch that the user has through groups.
fn of_user(user: UserId) -> sea_orm::Select<group_images::Entity> {
    group_images::Entity::find()
        .join(
            JoinType::InnerJoin,
            group_images::Entity::belongs_to(user_groups::Entity)
                .from(group_images::Column::GroupId)
                .to(user_groups::Column::GroupId)
                .into(),
        )
        .filter(user_groups::Column::UserId.eq(user.to_string()))
}

fn taken(name: &str) -> String {
    format!("there is a workspace named {name:?} already")
}

/// All columns but the id and the time of making.
fn columns(settings: &WorkspaceSettings) -> Result<workspaces::ActiveModel, StoreError> {
    let size = |bytes: Bytes| {
        i64::try_from(bytes.0).map_err(|_| StoreError::conflict("the size is too large"))
    };
    Ok(workspaces::ActiveModel {
        name: Set(settings.image.as_str().to_owned()),
        friendly_name: Set(settings.name.clone()),
        description: Set(settings.description.clone()),
        image_src: Set(settings.icon.clone()),
        categories: Set(to_json(&settings.categories)?),
        cores: Set(settings.cores.cores()),
        memory: Set(size(settings.memory)?),
        shm_size: Set(size(settings.shm_size)?),
        enabled: Set(settings.enabled),
        hidden: Set(settings.hidden),
        environment: Set(to_json(&settings.environment)?),
        protection: Set(to_json(&settings.protection)?),
        updated_at: Set(now()),
        ..Default::default()
    })
}

async fn one(db: &impl ConnectionTrait, row: workspaces::Model) -> Result<Workspace, StoreError> {
    with_groups(db, vec![row]).await?.pop().ok_or(NOT_FOUND)
}

async fn with_groups(
    db: &impl ConnectionTrait,
    rows: Vec<workspaces::Model>,
) -> Result<Vec<Workspace>, StoreError> {
    let ids = rows.iter().map(|row| row.image_id.clone());
    let mut groups: BTreeMap<String, BTreeSet<GroupId>> = BTreeMap::new();
    for row in group_images::Entity::find()
        .filter(group_images::Column::ImageId.is_in(ids))
        .all(db)
        .await?
    {
        groups
            .entry(row.image_id)
            .or_default()
            .insert(parse(&row.group_id)?);
    }
    rows.into_iter()
        .map(|row| {
            Ok(Workspace {
                id: parse(&row.image_id)?,
                settings: WorkspaceSettings {
                    groups: groups.remove(&row.image_id).unwrap_or_default(),
                    image: parse(&row.name)?,
                    cores: MilliCores::from_cores(row.cores)
                        .ok_or_else(|| StoreError::Corrupt(format!("{} cores", row.cores)))?,
                    name: row.friendly_name,
                    description: row.description,
                    icon: row.image_src,
                    categories: from_json(&row.categories)?,
                    memory: Bytes(row.memory.try_into().unwrap_or_default()),
                    shm_size: Bytes(row.shm_size.try_into().unwrap_or_default()),
                    enabled: row.enabled,
                    hidden: row.hidden,
                    environment: from_json(&row.environment)?,
                    protection: from_json(&row.protection)?,
                },
                created_at: from_column(row.created_at),
                updated_at: from_column(row.updated_at),
            })
        })
        .collect()
}

async fn set_groups(
    db: &impl ConnectionTrait,
    id: WorkspaceId,
    wanted: &BTreeSet<GroupId>,
) -> Result<(), StoreError> {
    crate::groups::check(db, wanted).await?;
    group_images::Entity::delete_many()
        .filter(group_images::Column::ImageId.eq(id.to_string()))
        .exec(db)
        .await?;
    for group in wanted {
        let row = group_images::ActiveModel {
            group_id: Set(group.to_string()),
            image_id: Set(id.to_string()),
        };
        row.insert(db).await?;
    }
    Ok(())
}
