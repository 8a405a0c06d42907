import type { FileHandle } from "node:fs/promises";

const CHUNK = 64 * 1024;
const NEWLINE = 0x0a;

/** The lines of a file from its last to its first, read in chunks, so that the newest are cheap however long it grew. */
export async function* linesFromEnd(file: FileHandle, chunk: number = CHUNK): AsyncGenerator<string> {
  let position = (await file.stat()).size;
  // The head of a line whose beginning is not read yet; bytes, as a chunk may cut a character.
  let tail: Buffer = Buffer.alloc(0);
  while (position > 0) {
    const size = Math.min(chunk, position);
    position -= size;
    const buffer = Buffer.alloc(size);
    const { bytesRead } = await file.read(buffer, 0, size, position);
    const bytes = Buffer.concat([buffer.subarray(0, bytesRead), tail]);
    let end = bytes.length;
    for (
      let at = bytes.lastIndexOf(NEWLINE);
      at !== -1;
      at = at === 0 ? -1 : bytes.lastIndexOf(NEWLINE, at - 1)
    ) {
      yield bytes.toString("utf8", at + 1, end);
      end = at;
    }
    tail = bytes.subarray(0, end);
  }
  if (tail.length > 0) yield tail.toString("utf8");
}
