//! The token that OKE's API servers take: a request that is signed and never sent, as
//! `oci ce cluster generate-token` makes it. No call is needed for it.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE;
use jiff::{SignedDuration, Timestamp};

use super::config::ConfigError;
use super::session::{Session, unsigned};
use super::signer::{Signatory, presigned};
use super::{Error, Patience, Region};
use crate::clock;
use crate::cloud::http::Url;
use crate::redaction::SecretString;

/// Valid for some minutes from its making.
#[derive(Clone, Debug)]
pub struct BearerToken {
    pub token: SecretString,
    /// As the CLI has it: a minute before the service refuses it.
    pub expires_at: Timestamp,
}

impl Session {
    /// For the cluster of this OCID.
    pub async fn bearer_token(
        &self,
        cluster_id: &str,
        patience: &Patience,
    ) -> Result<BearerToken, Error> {
        let region = self.region_of(cluster_id, patience).await?;
        let signatory = self.signatory(patience).await?;
        made(cluster_id, &region.name, &signatory, clock::now())
    }

    /// The login's, or with an endpoint of its own the one that the OCID names.
    async fn region_of(&self, cluster_id: &str, patience: &Patience) -> Result<Region, Error> {
        match self.region(patience).await {
            Ok(region) => Ok(region),
            Err(error) => {
                let key = cluster_id.split('.').nth(3).unwrap_or_default();
                self.account().regions.find(key).map_err(|_| error)
            }
        }
    }
}

fn made(
    cluster_id: &str,
    region: &str,
    signatory: &Signatory,
    now: Timestamp,
) -> Result<BearerToken, Error> {
    // The CLI writes this domain for every realm.
    let text = format!("https://containerengine.{region}.oraclecloud.com/cluster_request/");
    let no_address = || ConfigError::new("region", format!("{text}{cluster_id} is no address"));
    let mut url = Url::parse(&text).map_err(|_| no_address())?;
    url.path_segments_mut().map_err(|()| no_address())?.pop_if_empty().push(cluster_id);
    let (authorization, date) = presigned(&url, signatory, now).map_err(|why| unsigned(&why))?;
    url.query_pairs_mut().append_pair("authorization", &authorization).append_pair("date", &date);
    let token = BASE64_URL_SAFE.encode(url.as_str()).into();
    Ok(BearerToken { token, expires_at: now + SignedDuration::from_mins(4) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::oci::fixtures::signatory;
    use crate::redaction::ExposeSecret as _;

    #[test]
    fn the_token_is_a_signed_request_in_base64() {
        let cluster = "ocid1.cluster.oc1.iad.aaaa";
        let now: Timestamp = "2034-01-05T21:31:40Z".parse().unwrap();
        let made = made(cluster, "us-ashburn-1", &signatory("t/u/f"), now).unwrap();
        assert_eq!(made.expires_at.to_string(), "2034-01-05T21:35:40Z");
        let bytes = BASE64_URL_SAFE.decode(made.token.expose_secret()).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (front, rest) = text.split_once("signature%3D%22").unwrap();
        assert_eq!(
            front,
            "https://containerengine.us-ashburn-1.oraclecloud.com/cluster_request/ocid1.cluster.oc1.iad.aaaa\
             ?authorization=Signature+algorithm%3D%22rsa-sha256%22%2Cheaders%3D%22date+%28request-target%29+host%22\
             %2CkeyId%3D%22t%2Fu%2Ff%22%2C"
        );
        let (signature, back) = rest.split_once("%22").unwrap();
        assert_eq!(back, "%2Cversion%3D%221%22&date=Thu%2C+05+Jan+2034+21%3A31%3A40+GMT");
        let signed = "date: Thu, 05 Jan 2034 21:31:40 GMT\n\
                      (request-target): get /cluster_request/ocid1.cluster.oc1.iad.aaaa\n\
                      host: containerengine.us-ashburn-1.oraclecloud.com";
        let expected = signatory("t/u/f").key.sign(signed).unwrap();
        let encoded = expected.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        assert_eq!(signature, encoded);
    }
}
