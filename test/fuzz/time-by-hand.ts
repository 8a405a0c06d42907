import { FAMILIES, microseconds } from "./linear-cost.ts";

const SMALL = 960;

// Times depend on the machine and on what else it does, so they are looked at, not asserted.
console.log("microseconds at 1 KB, at 16 KB, ratio");
for (const family of FAMILIES) {
  const small = microseconds(family, SMALL);
  const large = microseconds(family, 16 * SMALL);
  console.log(
    `${`${family.name} (${family.kind})`.padEnd(48)} ${small.toFixed(2).padStart(8)} ${large.toFixed(2).padStart(8)} ` +
      (large / small).toFixed(1).padStart(6),
  );
}
