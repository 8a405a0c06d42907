/** A document of the original system, as its operators write it. */
export const ORIGINAL: object = {
  image: "my_object",
  testiplist: ["10.0.0.111", "127.0.0.1"],
  weight: { group1: "10", group2: "10" },
  deploy: "0",
  group1: ["10.0.4.175", "10.0.4.176"],
  group2: ["10.0.4.146", "10.0.4.147"],
};
/** What the original's converter puts into Redis for it, under the key of its `image`. */
export const CONVERTED: object = {
  group2: [
    { ip: "10.0.4.146", current_weight: 10, weight: 10 },
    { ip: "10.0.4.147", current_weight: 10, weight: 10 },
  ],
  group: [
    { ip: "10.0.4.175", current_weight: "10", weight: "10" },
    { ip: "10.0.4.176", current_weight: "10", weight: "10" },
  ],
  deploy: 0,
  weight: { group2: "10", group: "10" },
  testiplist: ["10.0.0.111", "127.0.0.1"],
};
