/** The bundler gives a file's address for this. */
declare module '*.wasm?url' {
  const url: string;
  export default url;
}
