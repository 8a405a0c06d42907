import replyFrom from "@fastify/reply-from";
import fastify from "fastify";
import { nextOrigin, options, setForwarding, tlsFiles } from "./shared.mjs";

const server = fastify({ keepAliveTimeout: 75_000, https: tlsFiles() ?? null });
// Bodies are streamed, whatever they are.
server.removeAllContentTypeParsers();
server.addContentTypeParser("*", (_request, body, done) => done(null, body));
server.register(replyFrom, { undici: { connections: null, pipelining: 1 } });

const fromOptions = {
  getUpstream: nextOrigin,
  /** Else the client is told what the server said of its own connection. */
  rewriteHeaders: ({ connection: _connection, ...headers }) => headers,
  /** It sends the server's own name as Host unless told otherwise. */
  rewriteRequestHeaders: (request, headers) =>
    setForwarding({ ...headers, host: request.headers.host }, request.raw),
};
server.all("/*", (_request, reply) => reply.from(undefined, fromOptions));
await server.listen({ host: options.host, port: options.port, backlog: 4096 });
