//! Why something is done, or is not: each reason has a code, a sentence and perhaps a deadline. The same
//! ones stand in the plan, the warnings and the tests. Never an elapsed time: a reason must read the
//! same whenever it is read.

use std::fmt;

use jiff::Timestamp;

/// What Read found to be due, as the attribute `rotation_due` keeps it until a plan acts on it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// The current generation exists no more while an older one does.
    Vanished,
    /// The current generation has expired, and its successor can be given a new expiry.
    Expired { deadline: Timestamp },
    /// `renew_before` the expiry of the current generation.
    RenewBefore { deadline: Timestamp },
    /// The current generation is `rotation_period` old.
    RotationPeriod { deadline: Timestamp },
    /// An old generation's overlap has ended.
    Overlap { generation: u64, deadline: Timestamp },
}

/// The argument that a [`Due`] follows from: when it changes, the entry is judged anew by the next Read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Governor {
    ExpiresIn,
    Overlap,
    RenewBefore,
    RotationPeriod,
}

const OVERLAP: &str = "overlap of generation ";

impl Due {
    /// The entry's text in `rotation_due`.
    pub fn code(&self) -> String {
        match self {
            Self::Vanished => "vanished".into(),
            Self::Expired { .. } => "expired".into(),
            Self::RenewBefore { .. } => "renew_before".into(),
            Self::RotationPeriod { .. } => "rotation_period".into(),
            Self::Overlap { generation, .. } => format!("{OVERLAP}{generation}"),
        }
    }

    /// Reads what [`Due::code`] and [`Due::deadline`] gave; None for what no version of ours wrote.
    pub fn parse(code: &str, deadline: Option<Timestamp>) -> Option<Self> {
        let due = match (code, deadline) {
            ("vanished", None) => Self::Vanished,
            ("expired", Some(deadline)) => Self::Expired { deadline },
            ("renew_before", Some(deadline)) => Self::RenewBefore { deadline },
            ("rotation_period", Some(deadline)) => Self::RotationPeriod { deadline },
            (overlap, Some(deadline)) => {
                let generation = overlap.strip_prefix(OVERLAP)?.parse().ok()?;
                Self::Overlap { generation, deadline }
            }
            _ => return None,
        };
        (due.code() == code).then_some(due)
    }

    pub fn deadline(&self) -> Option<Timestamp> {
        match self {
            Self::Vanished => None,
            Self::Expired { deadline }
            | Self::Overlap { deadline, .. }
            | Self::RenewBefore { deadline }
            | Self::RotationPeriod { deadline } => Some(*deadline),
        }
    }

    /// The arguments it follows from.
    pub fn governors(&self) -> &'static [Governor] {
        match self {
            Self::Vanished => &[],
            Self::Expired { .. } => &[Governor::ExpiresIn],
            Self::RenewBefore { .. } => &[Governor::RenewBefore, Governor::ExpiresIn],
            Self::RotationPeriod { .. } => &[Governor::RotationPeriod],
            Self::Overlap { .. } => &[Governor::Overlap],
        }
    }

    /// True for what calls for a next generation, false for what ends an old one.
    pub fn calls_for_generation(&self) -> bool {
        !matches!(self, Self::Overlap { .. })
    }

    /// True where `rotate = false` may hold it: what a schedule brings, not what happened outside.
    pub fn can_be_held(&self) -> bool {
        !matches!(self, Self::Vanished)
    }
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vanished => write!(f, "the current credential was deleted by somebody else"),
            Self::Expired { deadline } => write!(f, "expired at {}", Moment(*deadline)),
            Self::RenewBefore { deadline } => {
                write!(f, "renew_before reached at {}", Moment(*deadline))
            }
            Self::RotationPeriod { deadline } => {
                write!(f, "rotation_period reached at {}", Moment(*deadline))
            }
            Self::Overlap { generation, deadline } => {
                write!(f, "overlap of generation {generation} ended at {}", Moment(*deadline))
            }
        }
    }
}

/// An input that the user changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// An argument of the resource, by its name.
    Argument(&'static str),
    /// A key of `triggers`. Its values stay out of every text: they may be sensitive, and the plan shows
    /// them, or hides them, on the line beside.
    Trigger(String),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(name) => write!(f, "{name} changed"),
            Self::Trigger(key) => write!(f, "triggers[{key:?}] changed"),
        }
    }
}

/// Why a step is taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    Changed(Change),
    /// The platform, or somebody else, began it.
    BegunOutside,
    /// An apply that died had made it, and nobody asks for it any more.
    OfDeadRun,
    /// It comes with the create.
    Created,
    Due(Due),
    /// The old generation had expired before its successor was issued.
    HadExpired,
    /// Without an `overlap` no old generation is kept.
    NoOverlap,
    /// `overlap` was removed: no old generation is kept any more.
    OverlapRemoved,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(change) => change.fmt(f),
            Self::BegunOutside => write!(f, "begun outside"),
            Self::OfDeadRun => write!(f, "made by an apply that did not end"),
            Self::Created => write!(f, "created"),
            Self::Due(due) => due.fmt(f),
            Self::HadExpired => write!(f, "it had expired"),
            Self::NoOverlap => write!(f, "no overlap is set"),
            Self::OverlapRemoved => write!(f, "overlap was removed"),
        }
    }
}

/// The attribute `rotation_reason`. It begins with the generation, so that two rotations for the same
/// reason differ and the plan prints the second too.
pub fn sentence(generation: u64, reasons: &[Reason]) -> String {
    let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    format!("generation {generation}: {}", reasons.join("; "))
}

/// A moment for a reader: `2026-12-01 10:00 UTC`, with seconds only where there are any.
#[derive(Clone, Copy, Debug)]
pub struct Moment(pub Timestamp);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_second().rem_euclid(60);
        let format = if seconds == 0 { "%Y-%m-%d %H:%M UTC" } else { "%Y-%m-%d %H:%M:%S UTC" };
        write!(f, "{}", self.0.strftime(format))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_due() -> impl Strategy<Value = Due> {
        let at = (0_i64..4_000_000_000).prop_map(|second| Timestamp::from_second(second).unwrap());
        (0..5, at, any::<u64>()).prop_map(|(kind, deadline, generation)| match kind {
            0 => Due::Vanished,
            1 => Due::Expired { deadline },
            2 => Due::RenewBefore { deadline },
            3 => Due::RotationPeriod { deadline },
            _ => Due::Overlap { generation, deadline },
        })
    }

    proptest! {
        #[test]
        fn the_state_keeps_what_is_due(due in any_due()) {
            prop_assert_eq!(Due::parse(&due.code(), due.deadline()), Some(due));
        }

        #[test]
        fn foreign_codes_are_no_reason(code in "[a-z ]{0,30}[0-9]{0,30}") {
            let at = Timestamp::UNIX_EPOCH;
            if let Some(due) = Due::parse(&code, Some(at)) {
                prop_assert_eq!(due.code(), code);
            }
        }
    }

    #[test]
    fn only_our_own_text_is_read() {
        let at = Some(Timestamp::UNIX_EPOCH);
        assert!(Due::parse("overlap of generation 7", at).is_some());
        for code in
            ["overlap of generation +7", "overlap of generation 07", "overlap of generation "]
        {
            assert_eq!(Due::parse(code, at), None, "{code}");
        }
        assert_eq!(Due::parse("overlap of generation 7", None), None);
        assert_eq!(Due::parse("rotation_period", None), None);
        assert_eq!(Due::parse("vanished", at), None);
    }

    #[test]
    fn every_reason_has_its_sentence() {
        let deadline = "2026-12-01T10:00:00Z".parse().unwrap();
        let to_the_second = "2026-12-01T10:00:07Z".parse().unwrap();
        for (reason, sentence) in [
            (Reason::Changed(Change::Argument("roles")), "roles changed"),
            (
                Reason::Changed(Change::Trigger("a \"b\"".into())),
                "triggers[\"a \\\"b\\\"\"] changed",
            ),
            (Reason::BegunOutside, "begun outside"),
            (Reason::OfDeadRun, "made by an apply that did not end"),
            (Reason::Created, "created"),
            (Reason::Due(Due::Vanished), "the current credential was deleted by somebody else"),
            (Reason::Due(Due::Expired { deadline }), "expired at 2026-12-01 10:00 UTC"),
            (
                Reason::Due(Due::RenewBefore { deadline }),
                "renew_before reached at 2026-12-01 10:00 UTC",
            ),
            (
                Reason::Due(Due::RotationPeriod { deadline: to_the_second }),
                "rotation_period reached at 2026-12-01 10:00:07 UTC",
            ),
            (
                Reason::Due(Due::Overlap { generation: 3, deadline }),
                "overlap of generation 3 ended at 2026-12-01 10:00 UTC",
            ),
            (Reason::HadExpired, "it had expired"),
            (Reason::NoOverlap, "no overlap is set"),
            (Reason::OverlapRemoved, "overlap was removed"),
        ] {
            assert_eq!(reason.to_string(), sentence);
        }
    }

    #[test]
    fn a_sentence_names_the_generation_and_every_reason() {
        let deadline = "2026-12-01T10:00:00Z".parse().unwrap();
        let reasons = [
            Reason::Changed(Change::Trigger("quarter".into())),
            Reason::Due(Due::RotationPeriod { deadline }),
        ];
        assert_eq!(
            sentence(4, &reasons),
            "generation 4: triggers[\"quarter\"] changed; \
             rotation_period reached at 2026-12-01 10:00 UTC"
        );
    }
}
