//! What is awaited from agents: replies to requests, and streams.

use porthole_model::{ids::AgentId, session::Failure};
use porthole_wire::socket::MessageSocket;
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;

/// Things awaited at once, at most; more are refused, so that a silent agent costs little.
const MOST: usize = 1024;

/// Answers that are awaited, by id.
pub(super) struct Pending<K, T>(Arc<Mutex<HashMap<K, Waiting<T>>>>);

struct Waiting<T> {
    agent_id: AgentId,
    answer: oneshot::Sender<Result<T, Broken>>,
}

impl<K, T> Clone for Pending<K, T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, T> Default for Pending<K, T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// Why no answer comes.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Broken {
    /// The agent's link is down, or went down meanwhile.
    #[error("the agent is not connected")]
    Disconnected,
    /// No answer within this time.
    #[error("the agent did not answer within {} s", .0.as_secs_f64())]
    TimedOut(Duration),
    /// Too many answers are awaited already.
    #[error("too many requests to agents are under way; try again")]
    TooMany,
    /// The agent's own words.
    #[error("{0}")]
    Failed(Failure),
}

/// An answer awaited; dropping it forgets the question.
pub(super) struct Ticket<K: Eq + Hash + Copy, T> {
    key: K,
    pending: Pending<K, T>,
    answer: oneshot::Receiver<Result<T, Broken>>,
}

impl<K: Eq + Hash + Copy, T> Drop for Ticket<K, T> {
    fn drop(&mut self) {
        self.pending.lock().remove(&self.key);
    }
}

impl<K: Eq + Hash + Copy, T> Ticket<K, T> {
    pub(super) async fn wait(mut self, limit: Duration) -> Result<T, Broken> {
        match tokio::time::timeout(limit, &mut self.answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Broken::Disconnected),
            Err(_) => Err(Broken::TimedOut(limit)),
        }
    }
}

impl<K, T> Pending<K, T> {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<K, Waiting<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash + Copy, T> Pending<K, T> {
    /// Awaits an answer of this agent.
    pub(super) fn expect(&self, key: K, agent_id: AgentId) -> Result<Ticket<K, T>, Broken> {
        let (answer, receiver) = oneshot::channel();
        let mut waiting = self.lock();
        if waiting.len() >= MOST {
            return Err(Broken::TooMany);
        }
        waiting.insert(key, Waiting { agent_id, answer });
        Ok(Ticket {
            key,
            pending: self.clone(),
            answer: receiver,
        })
    }

    /// Whether this is awaited of this agent.
    pub(super) fn expects(&self, key: K, agent_id: AgentId) -> bool {
        self.lock()
            .get(&key)
            .is_some_and(|waiting| waiting.agent_id == agent_id)
    }

    /// Hands over an answer; gives it back when nobody of that agent awaits it.
    pub(super) fn answer(
        &self,
        key: K,
        agent_id: AgentId,
        answer: Result<T, Broken>,
    ) -> Result<(), Result<T, Broken>> {
        let waiting = {
            let mut all = self.lock();
            match all.get(&key) {
                Some(waiting) if waiting.agent_id == agent_id => all.remove(&key),
                _ => None,
            }
        };
        match waiting {
            Some(waiting) => waiting.answer.send(answer),
            None => Err(answer),
        }
    }

    /// The agent's link is down: nothing of it will come.
    pub(super) fn forget_agent(&self, agent_id: AgentId) {
        self.lock()
            .retain(|_, waiting| waiting.agent_id != agent_id);
    }
}

/// Streams that are awaited.
pub(super) type PendingStreams = Pending<porthole_model::ids::StreamId, MessageSocket>;
/// Replies that are awaited.
pub(super) type PendingRequests =
    Pending<porthole_model::ids::RequestId, porthole_wire::agent::Outcome>;

#[cfg(test)]
mod tests {
    use super::*;
    use porthole_model::ids::RequestId;

    #[tokio::test]
    async fn an_answer_reaches_whoever_waits_and_nobody_else() {
        let pending = Pending::<RequestId, u8>::default();
        let (agent, other, id) = (AgentId::new(), AgentId::new(), RequestId::new());
        let ticket = pending.expect(id, agent).unwrap();
        assert_eq!(
            pending.answer(id, other, Ok(1)),
            Err(Ok(1)),
            "another agent's"
        );
        assert_eq!(pending.answer(id, agent, Ok(2)), Ok(()));
        assert_eq!(ticket.wait(Duration::from_secs(1)).await, Ok(2));
        assert_eq!(pending.answer(id, agent, Ok(3)), Err(Ok(3)), "twice");
    }

    #[tokio::test]
    async fn nothing_is_left_of_a_question_given_up() {
        let pending = Pending::<RequestId, u8>::default();
        let (agent, id) = (AgentId::new(), RequestId::new());
        let limit = Duration::from_millis(5);
        let late = pending.expect(id, agent).unwrap().wait(limit).await;
        assert_eq!(late, Err(Broken::TimedOut(limit)));
        assert!(pending.lock().is_empty());
        let ticket = pending.expect(id, agent).unwrap();
        pending.forget_agent(agent);
        assert_eq!(
            ticket.wait(Duration::from_secs(1)).await,
            Err(Broken::Disconnected)
        );
    }
}
