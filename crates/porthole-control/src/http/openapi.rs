//! The description of the v1 API, made from the handlers.

use super::{Problem, router::v1};
use crate::Control;
use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use std::sync::LazyLock;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        RefOr, Response as ApiResponse, ResponseBuilder,
        content::ContentBuilder,
        path::PathItem,
        schema::{ArrayItems, Ref, Schema},
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Porthole",
        description = "Desktops, browsers and applications in containers, in a browser tab.\n\n\
            Sign in with `POST /api/v1/auth/login`; send the token as `Authorization: Bearer <token>`, \
            or let the browser keep the cookie. API keys work as `Authorization: Basic <key:secret>`. \
            Errors are `application/problem+json` (RFC 9457)."
    ),
    components(schemas(Problem, crate::FieldError)),
    modifiers(&Extras),
    security(("token" = []), ("cookie" = []), ("api_key" = [])),
    tags(
        (name = "auth", description = "Signing in and out"),
        (name = "users", description = "Users and groups"),
        (name = "workspaces", description = "What can be launched"),
        (name = "sessions", description = "Running workspaces"),
        (name = "agents", description = "Container hosts"),
        (name = "api-keys", description = "Keys for programs"),
        (name = "audit", description = "What people did"),
        (name = "server", description = "The server itself"),
    )
)]
struct Document;

struct Extras;

impl Modify for Extras {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(
            "token",
            SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
        );
        components.add_security_scheme(
            "cookie",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("__Host-porthole"))),
        );
        components.add_security_scheme(
            "api_key",
            SecurityScheme::Http(Http::new(HttpAuthScheme::Basic)),
        );
    }
}

static DOCUMENT: LazyLock<String> =
    LazyLock::new(|| document().to_pretty_json().unwrap_or_default());

/// The description of every v1 route.
pub fn document() -> utoipa::openapi::OpenApi {
    let (_, mut document) = OpenApiRouter::<Control>::with_openapi(Document::openapi())
        .nest("/api/v1", v1())
        .split_for_parts();
    name_list_entries(&mut document);
    // Every operation can answer with a problem; said here once.
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            operation
                .responses
                .responses
                .entry("default".to_owned())
                .or_insert_with(|| RefOr::T(problem()));
        }
    }
    document
}

/// Makes the entries of `List_X` a reference to `X`, so that clients see one type and not two.
fn name_list_entries(document: &mut utoipa::openapi::OpenApi) {
    let Some(components) = &mut document.components else {
        return;
    };
    for (name, schema) in &mut components.schemas {
        if let Some(entry) = name.strip_prefix("List_")
            && let RefOr::T(Schema::Object(list)) = schema
            && let Some(RefOr::T(Schema::Array(items))) = list.properties.get_mut("items")
        {
            items.items = ArrayItems::RefOrSchema(Box::new(Ref::from_schema_name(entry).into()));
        }
    }
}

fn problem() -> ApiResponse {
    ResponseBuilder::new()
        .description("What failed, on which part, and what to do")
        .content(
            "application/problem+json",
            ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Problem")))
                .build(),
        )
        .build()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut utoipa::openapi::path::Operation> {
    [
        &mut item.get,
        &mut item.post,
        &mut item.put,
        &mut item.patch,
        &mut item.delete,
    ]
    .into_iter()
    .flatten()
}

/// This description
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getOpenApi",
    tag = "server",
    security(()),
    responses((status = 200, description = "OpenAPI", body = serde_json::Value))
)]
async fn get_openapi() -> Response {
    (
        [
            (header::CONTENT_TYPE, "application/json"),
            (header::CACHE_CONTROL, "no-cache"),
        ],
        DOCUMENT.as_str(),
    )
        .into_response()
}

pub(super) fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(get_openapi))
}
