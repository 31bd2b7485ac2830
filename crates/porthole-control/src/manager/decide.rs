//! The life cycle's one rule: from what is wanted and what is seen to the next state and command.
//!
//! Level-triggered: nothing here depends on what was sent before, so a lost, late or repeated
//! message costs time and nothing else. Pure, so that the whole table can be tested.

use porthole_model::session::{Failure, SessionState, WantedState};
use porthole_wire::agent::Phase;
use std::time::Duration;

/// What an agent's reports say about one session.
#[derive(Debug, Clone, PartialEq)]
pub enum Sight {
    /// The agent's link is down, or it has not reported since it came up.
    Unseen {
        /// Whether the link is up.
        connected: bool,
    },
    /// The agent reports without listing the session.
    Absent {
        /// How many whole reports in a row have left it out.
        reports: u32,
    },
    /// What the agent has of it.
    Present(Phase),
    /// Remains of an earlier attempt, which the agent has not cleared away yet.
    Remains,
}

/// One session at one moment.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    /// Its state in the store.
    pub state: SessionState,
    /// What is wanted of it.
    pub wanted: WantedState,
    /// Whether it has run before, so that its disk holds what its user made.
    pub ran: bool,
    /// How long nothing has been heard of it.
    pub quiet: Duration,
    /// What its agent reports.
    pub sight: &'a Sight,
    /// The agent's name, for messages.
    pub agent: &'a str,
}

/// A step of the life cycle.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// It is in this state now.
    Enter(SessionState),
    /// It has failed and holds nothing any more.
    Fail(Failure),
    /// It goes on, but the user should know of this.
    Warn(Failure),
    /// It is gone; the row can go too.
    Forget,
}

/// What to tell the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Start or resume it.
    Run,
    /// Stop it.
    Stop,
    /// Remove all of it.
    Remove,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decision {
    /// The change of the stored session.
    pub step: Option<Step>,
    /// The command to its agent. Idempotent, so that it may be repeated.
    pub command: Option<Command>,
}

impl Decision {
    const NOTHING: Self = Self {
        step: None,
        command: None,
    };

    fn step(step: Step) -> Self {
        Self {
            step: Some(step),
            command: None,
        }
    }

    fn command(command: Command) -> Self {
        Self {
            step: None,
            command: Some(command),
        }
    }

    fn and(mut self, command: Command) -> Self {
        self.command = Some(command);
        self
    }
}

/// A session that vanished must be missing from this many whole reports before it counts as lost:
/// a report can cross a command on its way.
pub const MISSING_REPORTS: u32 = 2;

/// Decides the next step of a session.
pub fn decide(now: &Situation<'_>) -> Decision {
    if now.state == SessionState::Failed && now.wanted != WantedState::Deleted {
        return match now.sight {
            Sight::Present(_) | Sight::Remains => Decision::command(Command::Remove),
            Sight::Unseen { .. } | Sight::Absent { .. } => Decision::NOTHING,
        };
    }
    match now.wanted {
        WantedState::Deleted => towards_deleted(now),
        WantedState::Running => towards_running(now),
        WantedState::Stopped => towards_stopped(now),
    }
}

fn towards_deleted(now: &Situation<'_>) -> Decision {
    match now.sight {
        // On a lost agent the removal is done when it comes back and reports a session that
        // nobody knows.
        Sight::Unseen { connected: false } | Sight::Absent { .. } => Decision::step(Step::Forget),
        _ if timed_out(now) => Decision::step(Step::Forget).and(Command::Remove),
        _ if now.state != SessionState::Deleting => {
            Decision::step(Step::Enter(SessionState::Deleting)).and(Command::Remove)
        }
        _ => Decision::command(Command::Remove),
    }
}

#[expect(
    clippy::match_same_arms,
    reason = "the arms stand in the order in which they decide"
)]
fn towards_running(now: &Situation<'_>) -> Decision {
    use SessionState::{Requested, Running, Starting};
    match now.sight {
        Sight::Present(Phase::Running) if now.state == Running => Decision::NOTHING,
        Sight::Present(Phase::Running) => Decision::step(Step::Enter(Running)),
        Sight::Present(Phase::Failed { failure }) => {
            Decision::step(Step::Fail(failure.clone())).and(Command::Remove)
        }
        // What ran before is not silently begun anew, as if nothing had been in it.
        Sight::Absent { reports } if now.ran || !matches!(now.state, Requested | Starting) => {
            if *reports >= MISSING_REPORTS {
                vanished(now)
            } else {
                Decision::NOTHING
            }
        }
        Sight::Unseen { .. } if now.state == Running => Decision::NOTHING,
        _ if timed_out(now) && !now.ran => {
            Decision::step(Step::Fail(no_news(now))).and(Command::Remove)
        }
        // What a user made is not thrown away because an engine or a host takes its time.
        Sight::Present(Phase::Starting { .. }) | Sight::Unseen { .. } if timed_out(now) => {
            Decision::step(Step::Warn(no_news(now)))
        }
        Sight::Present(Phase::Stopped) | Sight::Remains if timed_out(now) => {
            Decision::step(Step::Warn(no_news(now))).and(Command::Run)
        }
        Sight::Present(Phase::Starting { .. }) if now.state == Starting => Decision::NOTHING,
        Sight::Present(Phase::Starting { .. }) => Decision::step(Step::Enter(Starting)),
        // It stopped without being asked to, as after a reboot of the host: it is resumed.
        Sight::Present(Phase::Stopped) if now.state == Running => {
            Decision::step(Step::Enter(Starting)).and(Command::Run)
        }
        Sight::Present(Phase::Stopped) | Sight::Absent { .. } | Sight::Remains => {
            Decision::command(Command::Run)
        }
        // A command crosses the agent's own work; the next report tells what came of it.
        Sight::Present(Phase::Stopping | Phase::Removing) | Sight::Unseen { .. } => {
            Decision::NOTHING
        }
    }
}

fn towards_stopped(now: &Situation<'_>) -> Decision {
    use SessionState::{Stopped, Stopping};
    match now.sight {
        Sight::Present(Phase::Stopped) if now.state == Stopped => Decision::NOTHING,
        Sight::Present(Phase::Stopped) => Decision::step(Step::Enter(Stopped)),
        Sight::Present(Phase::Failed { failure }) => {
            Decision::step(Step::Fail(failure.clone())).and(Command::Remove)
        }
        Sight::Absent { reports } if *reports >= MISSING_REPORTS => vanished(now),
        Sight::Present(Phase::Running | Phase::Starting { .. }) => {
            let stop = Decision::command(Command::Stop);
            if !matches!(now.state, Stopping | Stopped) {
                Decision {
                    step: Some(Step::Enter(Stopping)),
                    ..stop
                }
            } else if timed_out(now) {
                Decision {
                    step: Some(Step::Warn(does_not_stop(now))),
                    ..stop
                }
            } else {
                stop
            }
        }
        Sight::Unseen { .. }
        | Sight::Absent { .. }
        | Sight::Remains
        | Sight::Present(Phase::Stopping | Phase::Removing) => Decision::NOTHING,
    }
}

fn timed_out(now: &Situation<'_>) -> bool {
    now.state.time_out().is_some_and(|limit| now.quiet >= limit)
}

fn vanished(now: &Situation<'_>) -> Decision {
    Decision::step(Step::Fail(Failure {
        what: "The session's containers are gone".into(),
        part: format!("agent {}", now.agent),
        advice: "They were removed outside Porthole. Start the session again for a fresh one"
            .into(),
    }))
}

fn no_news(now: &Situation<'_>) -> Failure {
    let (what, advice) = match now.sight {
        Sight::Unseen { connected: false } => (
            "The agent's connection was lost while the session started",
            "Try again; an administrator can see why under Agents",
        ),
        _ => (
            "The session did not start in time",
            "Try again; an administrator finds the cause in the agent's log",
        ),
    };
    Failure {
        what: what.into(),
        part: format!("agent {}, state {}", now.agent, now.state),
        advice: format!(
            "Nothing was heard for {} s. {advice}",
            now.state.time_out().unwrap_or(now.quiet).as_secs()
        ),
    }
}

fn does_not_stop(now: &Situation<'_>) -> Failure {
    Failure {
        what: "The session does not stop".into(),
        part: format!("agent {}", now.agent),
        advice: "Stopping is tried again every few seconds. Deleting the session always works"
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use porthole_model::session::{LaunchStep, Progress};

    fn failure() -> Failure {
        Failure {
            what: "x".into(),
            part: "y".into(),
            advice: "z".into(),
        }
    }

    fn sights() -> Vec<Sight> {
        let progress = Progress {
            step: LaunchStep::Pull,
            percent: None,
            detail: None,
        };
        let mut all = vec![
            Sight::Unseen { connected: true },
            Sight::Unseen { connected: false },
            Sight::Absent { reports: 1 },
            Sight::Absent { reports: 2 },
            Sight::Remains,
        ];
        all.extend(
            [
                Phase::Starting { progress },
                Phase::Running,
                Phase::Stopping,
                Phase::Stopped,
                Phase::Failed { failure: failure() },
                Phase::Removing,
            ]
            .map(Sight::Present),
        );
        all
    }

    fn at(state: SessionState, wanted: WantedState, sight: &Sight, quiet: u64) -> Decision {
        decide_at(state, wanted, sight, quiet, state == SessionState::Running)
    }

    fn decide_at(
        state: SessionState,
        wanted: WantedState,
        sight: &Sight,
        quiet: u64,
        ran: bool,
    ) -> Decision {
        let quiet = Duration::from_secs(quiet);
        decide(&Situation {
            state,
            wanted,
            ran,
            quiet,
            sight,
            agent: "a1",
        })
    }

    /// Every pair that the app's calls and the steps here can store.
    fn pairs() -> Vec<(SessionState, WantedState)> {
        use SessionState::{Deleting, Failed, Requested, Running, Starting, Stopped, Stopping};
        vec![
            (Requested, WantedState::Running),
            (Starting, WantedState::Running),
            (Running, WantedState::Running),
            (Failed, WantedState::Running),
            (Stopping, WantedState::Stopped),
            (Stopped, WantedState::Stopped),
            (Failed, WantedState::Stopped),
            (Deleting, WantedState::Deleted),
        ]
    }

    #[test]
    fn every_step_is_one_of_the_life_cycle_and_leads_to_a_known_pair() {
        for (state, wanted) in pairs() {
            for sight in sights() {
                for (quiet, ran) in [(0, false), (1000, false), (0, true), (1000, true)] {
                    let next = match decide_at(state, wanted, &sight, quiet, ran).step {
                        Some(Step::Enter(next)) => next,
                        Some(Step::Fail(_)) => SessionState::Failed,
                        _ => continue,
                    };
                    let story = format!("{state} → {next} with {wanted:?} and {sight:?}");
                    assert!(state.may_become(next), "{story}");
                    assert!(pairs().contains(&(next, wanted)), "{story}");
                }
            }
        }
    }

    #[test]
    fn what_is_wanted_gone_is_gone_after_its_time_whatever_is_seen() {
        for sight in sights() {
            let decision = at(SessionState::Deleting, WantedState::Deleted, &sight, 60);
            assert_eq!(decision.step, Some(Step::Forget), "{sight:?}");
        }
    }

    #[test]
    fn a_start_ends_after_its_time_whatever_is_seen() {
        for sight in sights() {
            for state in [SessionState::Requested, SessionState::Starting] {
                let decision = at(state, WantedState::Running, &sight, 120);
                let ended = matches!(
                    decision.step,
                    Some(Step::Fail(_) | Step::Enter(SessionState::Running))
                );
                assert!(ended, "{state} {sight:?} {decision:?}");
            }
        }
    }

    #[test]
    fn what_a_user_made_is_not_removed_for_being_late() {
        let wanted = WantedState::Running;
        for sight in sights() {
            for state in [SessionState::Requested, SessionState::Starting] {
                let decision = decide_at(state, wanted, &sight, 100_000, true);
                let reported = matches!(sight, Sight::Present(Phase::Failed { .. }));
                let remove = decision.command == Some(Command::Remove);
                assert_eq!(remove, reported, "{state} {sight:?} {decision:?}");
            }
        }
        let starting = SessionState::Starting;
        let lost = decide_at(starting, wanted, &Sight::Absent { reports: 2 }, 0, true);
        assert!(
            matches!(lost.step, Some(Step::Fail(_))),
            "not begun anew as if nothing had been in it: {lost:?}"
        );
    }

    #[test]
    fn a_lost_agent_changes_nothing_for_a_running_session() {
        let unseen = Sight::Unseen { connected: false };
        for (state, wanted) in [
            (SessionState::Running, WantedState::Running),
            (SessionState::Stopped, WantedState::Stopped),
            (SessionState::Stopping, WantedState::Stopped),
        ] {
            assert_eq!(at(state, wanted, &unseen, 100_000), Decision::NOTHING);
        }
    }

    #[test]
    fn one_report_without_it_is_not_yet_a_loss() {
        let (running, wanted) = (SessionState::Running, WantedState::Running);
        assert_eq!(
            at(running, wanted, &Sight::Absent { reports: 1 }, 0),
            Decision::NOTHING
        );
        let lost = at(running, wanted, &Sight::Absent { reports: 2 }, 0);
        assert!(matches!(lost.step, Some(Step::Fail(_))));
    }

    #[test]
    fn a_failed_session_leaves_nothing_behind() {
        for sight in sights() {
            let decision = at(SessionState::Failed, WantedState::Running, &sight, 0);
            assert_eq!(decision.step, None);
            let present = matches!(sight, Sight::Present(_) | Sight::Remains);
            assert_eq!(
                decision.command,
                present.then_some(Command::Remove),
                "{sight:?}"
            );
        }
    }

    #[test]
    fn a_session_that_a_reboot_stopped_is_resumed() {
        let stopped = Sight::Present(Phase::Stopped);
        let decision = at(SessionState::Running, WantedState::Running, &stopped, 0);
        assert_eq!(decision.command, Some(Command::Run));
        assert_eq!(decision.step, Some(Step::Enter(SessionState::Starting)));
    }
}
