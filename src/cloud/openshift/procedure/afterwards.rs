//! What follows once every component has its credential: what holds it in memory takes it up, the cluster is seen to be
//! well, and what was needed for the rotation only is put away.

use super::super::health::{self, Redeployment};
use super::super::objects::CredentialsRequest;
use super::super::platform::Platform;
use super::super::refusal::Route;
use super::{Action, MARK, Progress, Step, Trouble};

impl Step<'_> {
    /// vSphere without the CSI driver's operator: the kube controller manager holds the credential too.
    pub(super) fn redeploy(&mut self) -> Progress {
        let (Platform::Vsphere, Some(manager)) =
            (self.task.platform, &self.situation.kube_controller_manager)
        else {
            return Ok(());
        };
        if self.situation.has_csi_operator {
            return Ok(());
        }
        let (wanted, before) = match &self.flight.redeployment {
            Some((reason, before)) => (reason.clone(), Some(*before)),
            None => (self.redeployment_reason(), None),
        };
        if manager.spec.force_redeployment_reason != wanted {
            return Err(Action::Redeploy { reason: wanted });
        }
        match health::redeployment(manager, before) {
            Redeployment::Done => Ok(()),
            Redeployment::Failed(why) => {
                Err(self.wait("the kube controller manager", true, Trouble::NotRedeployed(why)))
            }
            Redeployment::Pending(why) => {
                Err(self.wait("the kube controller manager", false, Trouble::NotRedeployed(why)))
            }
        }
    }

    /// The same for the same root secret, so that it is asked for once whoever asks.
    fn redeployment_reason(&self) -> String {
        let root = self.situation.root.as_ref().map(|root| &root.metadata);
        let (uid, version) =
            root.map_or(("", ""), |root| (root.uid.as_str(), root.resource_version.as_str()));
        let uid = uid.split('-').next().unwrap_or_default();
        format!("rekey: root credential {uid}, version {version}")
    }

    pub(super) fn wait_for_consumers(&mut self) -> Progress {
        let unwell = health::newly_unwell(&self.situation.operators, &self.flight.unwell);
        if !unwell.is_empty() {
            self.flight.run.settled_since = None;
            return Err(self.wait("the cluster's operators", false, Trouble::NotSettled(unwell)));
        }
        let since = *self.flight.run.settled_since.get_or_insert(self.now);
        if self.now.duration_since(since) < self.task.limits.settle {
            return Err(Action::Wait {
                what: "the cluster's operators to stay well".to_owned(),
                seen: None,
            });
        }
        Ok(())
    }

    pub(super) fn remove_root(&self) -> Progress {
        match &self.situation.root {
            Some(root) if self.task.remove_root_after && self.flight.route == Route::Mint => {
                Err(Action::RemoveRoot { uid: root.metadata.uid.clone() })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn unmark(&self) -> Progress {
        let marked = self.situation.requests.iter().find(|request| {
            self.flight.route == Route::Mint && request.metadata.annotation(MARK).is_some()
        });
        match marked.map(CredentialsRequest::name) {
            Some(Ok(request)) => Err(Action::Unmark { request }),
            _ => Ok(()),
        }
    }
}
