// @ts-check

/**
 * Arguments that keep nginx in the foreground and inside its own folder.
 * @param {string} prefix holds nginx.conf
 */
export function nginxArguments(prefix) {
  return ["-p", prefix, "-e", "error.log", "-c", "nginx.conf", "-g", "daemon off;"];
}

/**
 * The part outside `http` that upstream and proxy share: one worker, nothing outside the prefix.
 * @param {number} connections of the load; a proxy needs two for each
 */
export function nginxPreamble(connections) {
  const user = process.getuid?.() === 0 ? "user root;\n" : "";
  return `${user}worker_processes 1;
pid nginx.pid;
error_log error.log;
events { worker_connections ${connections * 2 + 256}; }`;
}

/** Temporary folders inside the prefix: the compiled-in ones belong to the system's nginx. */
export const NGINX_TEMPORARY_PATHS = `client_body_temp_path body; proxy_temp_path proxy;
  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;`;
