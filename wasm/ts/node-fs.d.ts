// As much of Node as `node.ts` needs: its own types would let the rest of the package use what browsers lack.
declare module 'node:fs/promises' {
  export function readFile(path: URL): Promise<Uint8Array<ArrayBuffer>>;
}
