//! No core dump of this process: it would put every secret of the run into a file, which is then sent to
//! whoever looks into the crash.

/// Where the system knows such a thing. What it refuses is left as it is: the process can do without.
pub(super) fn forbid() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        // for good: nobody can raise it again
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // a dump that goes to a program, as to systemd-coredump, does not heed the limit; and no other
        // process of the same user may look into the memory
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
