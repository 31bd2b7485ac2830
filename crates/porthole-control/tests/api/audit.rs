//! The audit log.

use crate::support::{ADMIN, Server};
use porthole_model::{
    audit::AuditRecord,
    files::{Direction, FileTransfer, TransferOutcome},
    ids::SessionId,
};
use serde_json::json;

#[tokio::test]
async fn administrators_read_what_gateways_told() {
    let server = Server::start().await;
    let admin = server.control.store().users().find_by_name(ADMIN).await;
    let admin = admin.unwrap().unwrap();
    let session_id = SessionId::new();
    for (path, outcome) in [
        ("Uploads/report.pdf", TransferOutcome::Completed),
        ("Uploads/Setup.exe", TransferOutcome::Refused),
    ] {
        let refused = outcome == TransferOutcome::Refused;
        let transfer = FileTransfer {
            session_id,
            user_id: admin.id,
            direction: Direction::Upload,
            path: path.into(),
            size: 10,
            bytes: if refused { 0 } else { 10 },
            media_type: (!refused).then(|| "application/pdf".into()),
            outcome,
            detail: refused.then(|| "names like *.exe may not go".into()),
        };
        server.control.audit(AuditRecord::from(transfer)).await;
    }
    let caller = server.admin().await;
    let part = server
        .get(&caller, "/api/v1/audit-events?limit=1")
        .await
        .expect(200);
    assert_eq!(
        (&part["total"], &part["next_cursor"]),
        (&json!(2), &json!("1"))
    );
    let event = &part["items"][0];
    assert_eq!(event["username"], ADMIN);
    assert_eq!(event["user_id"], admin.id.to_string());
    assert_eq!(event["session_id"], session_id.to_string());
    assert_eq!(event["workspace_name"], json!(null));
    assert_eq!(event["target"], "Uploads/Setup.exe");
    assert_eq!(
        event["details"],
        json!({
            "kind": "file_transfer", "direction": "upload", "size": 10, "bytes": 0,
            "media_type": null, "outcome": "refused", "reason": "names like *.exe may not go",
        })
    );
    let rest = server
        .get(&caller, "/api/v1/audit-events?limit=1&cursor=1")
        .await
        .expect(200);
    assert_eq!(rest["items"][0]["details"]["media_type"], "application/pdf");
    assert_eq!(rest["next_cursor"], json!(null));
    let found = server
        .get(&caller, "/api/v1/audit-events?search=REPORT")
        .await
        .expect(200);
    assert_eq!(found["total"], 1);
    let user = server.user().await;
    server.get(&user, "/api/v1/audit-events").await.expect(403);
}
