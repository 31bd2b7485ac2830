//! Sessions and agents in the store: what is held, and that nobody gets it twice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

use porthole_model::{
    ids::{AgentId, SessionId, UserId, WorkspaceId},
    resources::{Bytes, MilliCores, Resources},
    session::{EndReason, Failure, SessionState, WantedState},
};
use porthole_store::{
    PageRequest, Store, StoreError,
    agents::{AgentLoad, Seen},
    sessions::{Change, ChangeError, Event, Session, SessionFilter},
};
use sea_orm::{ConnectionTrait, Database};
use std::future::Future;
use time::OffsetDateTime;

/// Runs a test on every database there is.
async fn on_each<F: Future<Output = ()>>(test: impl Fn(Store, String) -> F) {
    let directory = tempfile::tempdir().unwrap();
    let file = format!(
        "sqlite://{}",
        directory.path().join("porthole.db").display()
    );
    test(Store::open(&file).await.unwrap(), file).await;
    let memory = "sqlite::memory:".to_owned();
    test(Store::open(&memory).await.unwrap(), memory).await;
    if let Ok(server) = std::env::var("PORTHOLE_TEST_POSTGRES_URL") {
        let name = format!("porthole_{}", UserId::new().simple());
        let admin = Database::connect(&server).await.unwrap();
        admin
            .execute_unprepared(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        let url = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
        test(Store::open(&url).await.unwrap(), url).await;
        admin
            .execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)"))
            .await
            .unwrap();
    }
}

const fn resources(cores: u32) -> Resources {
    Resources {
        cores: MilliCores(cores),
        memory: Bytes::mib(512),
    }
}

fn now() -> OffsetDateTime {
    // The databases keep microseconds.
    let now = OffsetDateTime::now_utc();
    now.replace_microsecond(now.microsecond()).unwrap()
}

fn session(user_id: UserId) -> Session {
    Session {
        id: SessionId::new(),
        user_id,
        username: "ada".into(),
        workspace_id: WorkspaceId::new(),
        workspace_name: "Terminal".into(),
        image: "porthole/terminal:1.0".into(),
        agent_id: None,
        state: SessionState::Requested,
        wanted: WantedState::Running,
        resources: resources(1000),
        spec: "{}".into(),
        container_id: None,
        display_id: None,
        progress: None,
        failure: None,
        end_reason: None,
        created_at: now(),
        started_at: None,
        keepalive_at: now(),
        expires_at: Some(now()),
        state_at: now(),
        version: 0,
        statistics: None,
        policy: porthole_model::policy::EffectivePolicy::default(),
    }
}

fn event(event: &'static str) -> Event {
    Event {
        event,
        reason: Some("why".into()),
        actor: Some("ada".into()),
    }
}

/// Takes the first agent with a core free.
fn place(session: &mut Session, _: &[Session], loads: &[AgentLoad]) -> Result<(), &'static str> {
    let free = |load: &AgentLoad| load.agent.offered.minus(load.reserved).cores;
    let fits = loads
        .iter()
        .find(|load| free(load) >= session.resources.cores);
    session.agent_id = Some(fits.ok_or("full")?.agent.id);
    Ok(())
}

async fn agent(store: &Store, cores: u32) -> AgentId {
    let id = AgentId::new();
    store
        .agents()
        .create(id, &id.simple(), "hash")
        .await
        .unwrap();
    let seen = Seen {
        hostname: "h".into(),
        version: "1".into(),
        engine: "e".into(),
        offered: resources(cores),
    };
    store.agents().seen(id, &seen, now()).await.unwrap();
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_cores_are_given_once() {
    on_each(async |store, _| {
        agent(&store, 3000).await;
        let asks = (0..12).map(|_| {
            let (store, session) = (store.clone(), session(UserId::new()));
            tokio::spawn(async move {
                store
                    .sessions()
                    .request(session, event("requested"), place)
                    .await
            })
        });
        let mut given = 0;
        for ask in asks.collect::<Vec<_>>() {
            match ask.await.unwrap() {
                Ok(_) => given += 1,
                Err(ChangeError::Rule("full")) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(given, 3);
        let load = store.agents().loads().await.unwrap().remove(0);
        assert_eq!((load.reserved.cores, load.sessions), (MilliCores(3000), 3));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_read_as_it_was_written_and_its_history_stays() {
    on_each(async |store, _| {
        let on = agent(&store, 4000).await;
        let user = UserId::new();
        let sessions = store.sessions();
        let made = sessions
            .request(session(user), event("requested"), place)
            .await
            .unwrap();
        assert_eq!(sessions.find(made.id).await.unwrap(), made);

        let failure = Failure {
            what: "a".into(),
            part: "b".into(),
            advice: "c".into(),
        };
        let at = now();
        let changed = sessions
            .change(made.id, at, |session| {
                session.state = SessionState::Failed;
                session.failure = Some(failure.clone());
                session.end_reason = Some(EndReason::Expired);
                session.expires_at = None;
                Ok::<_, ()>(Change::Save(Some(event("failed"))))
            })
            .await
            .unwrap()
            .unwrap();
        assert_eq!(changed.version, 1);
        assert_eq!(sessions.find(made.id).await.unwrap(), changed);
        let load = store.agents().loads().await.unwrap().remove(0);
        assert_eq!(
            load.reserved,
            Resources::default(),
            "a failed session holds nothing"
        );
        assert!(matches!(
            store.agents().delete(on).await,
            Err(StoreError::Conflict { .. })
        ));

        let refused = sessions
            .change(made.id, at, |session| {
                session.state = SessionState::Running;
                Err::<Change, _>("no")
            })
            .await;
        assert!(matches!(refused, Err(ChangeError::Rule("no"))));
        assert_eq!(
            sessions.find(made.id).await.unwrap(),
            changed,
            "a refusal writes nothing"
        );

        let filter = SessionFilter {
            user_id: Some(user),
            ..SessionFilter::default()
        };
        let request = |search: &str| PageRequest {
            limit: 10,
            search: Some(search.into()),
            ..PageRequest::default()
        };
        assert_eq!(
            sessions.list(filter, &request("Term")).await.unwrap().total,
            1
        );
        assert_eq!(
            sessions
                .list(filter, &request("nothing"))
                .await
                .unwrap()
                .total,
            0
        );

        let removed = sessions
            .change(made.id, at, |_| {
                Ok::<_, ()>(Change::Remove(event("removed")))
            })
            .await
            .unwrap();
        assert_eq!(removed, None);
        assert!(matches!(
            sessions.find(made.id).await,
            Err(StoreError::NotFound { .. })
        ));
        let history = sessions.history(made.id).await.unwrap();
        let events: Vec<_> = history.iter().map(|entry| entry.event.as_str()).collect();
        assert_eq!(events, ["requested", "failed", "removed"]);
        store.agents().delete(on).await.unwrap();
    })
    .await;
}
