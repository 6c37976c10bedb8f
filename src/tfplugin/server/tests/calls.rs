//! Calls in flight: stopped, hung up on, waited for.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_stop_ends_waits_but_not_the_work_nor_the_service() {
    let (server, seen) = server();
    let in_flight = tokio::spawn({
        let server = server.clone();
        async move { server.apply_resource_change(slow()).await.unwrap().into_inner() }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let stopped = server.stop_provider(Request::new(pb::stop_provider::Request {})).await.unwrap();
    assert_eq!(stopped.into_inner().error, "");
    let made = in_flight.await.unwrap();
    assert_eq!(read::<Thing>(made.new_state.as_ref()).get("id"), Some(&text("id-1")));
    assert_eq!(seen.take(), ["stopped waiting"]);
    // Whoever calls later, as a close does, is not concerned.
    server.apply_resource_change(slow()).await.unwrap();
    assert_eq!(seen.take(), ["waited"]);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_hangs_up_does_not_cut_the_work_off() {
    let (server, seen) = server();
    let call = tokio::spawn({
        let server = server.clone();
        async move { server.apply_resource_change(slow()).await.map(drop) }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    // As hyper does with the stream of a client that has gone.
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    server.calls().finish().await;
    assert_eq!(seen.finished.load(Ordering::SeqCst), 1);
    assert_eq!(seen.take(), ["stopped waiting"]);
}

#[tokio::test]
async fn the_end_waits_for_nobody_when_nothing_is_in_flight() {
    let (server, _) = server();
    server.calls().finish().await;
}
