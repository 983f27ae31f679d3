// The package's own types declare an ES module's default export, but what Node loads is CommonJS.
declare module 'bidi-js' {
  export default function bidiFactory(): { getBidiCharTypeName(char: string): string };
}
