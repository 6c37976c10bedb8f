//! What did not hold, in words.

/// An error tells what did not hold.
pub(super) type Checked<T> = Result<T, String>;

macro_rules! ensure {
    ($holds:expr, $($told:tt)+) => {
        if !$holds {
            return Err(format!($($told)+));
        }
    };
}
pub(super) use ensure;
