/// <reference types="vite/client" />

interface Window {
  /** A session's page: which, and what the server says to its wish for a stream (boot.js). */
  readonly portholeEarly?: { readonly id: string; readonly answer: Promise<Response> };
}
