import { lookup } from "node:dns";
import type { LookupFunction } from "node:net";
import type { Target } from "../core/app.ts";
import { REFUSED, type AddressGuard } from "./address-guard.ts";

/** Where `net.connect`, `tls.connect` and `http.request` are to go. */
export type ConnectOptions =
  | { readonly path: string }
  | { readonly host: string; readonly port: number; readonly lookup?: LookupFunction };

/**
 * Options of a connection to this target. A name is resolved once, and what was checked is what is connected to.
 * Addresses and paths have to be checked before, by `guard.refusal`: nothing is looked up for them.
 */
export function connectOptions(target: Target, guard: AddressGuard): ConnectOptions {
  if (target.kind === "unix") return { path: target.path };
  const { host, port } = target;
  return target.kind === "ip" ? { host, port } : { host, port, lookup: guardedLookup(guard, port) };
}

function guardedLookup(guard: AddressGuard, port: number): LookupFunction {
  return (name, options, done) => {
    lookup(name, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        done(error, []);
        return;
      }
      const refusals = addresses.map(({ address }) => guard.refusalOf(address, port));
      const permitted = addresses.filter((_, index) => refusals[index] === undefined);
      const [first] = permitted;
      if (first === undefined) done(refusedError(`${name} leads to ${refusals.join(", ")}`), []);
      else if (options.all === true) done(null, permitted);
      else done(null, first.address, first.family);
    });
  };
}

/** Why a connection was not made. */
export function refusedError(reason: string): NodeJS.ErrnoException {
  return Object.assign(new Error(reason), { code: REFUSED });
}
