import { expect, it } from "vitest";
import { fileSystems, userNames } from "./guest-shapes";

it("reads file systems, also of agents that tell no sizes", () => {
  const raw = [
    { mountpoint: "/", type: "ext4", used: 1, total: 2 },
    { mountpoint: "/x", type: "vfat" },
    "nonsense",
  ];
  expect(fileSystems(raw)).toEqual([
    { mountpoint: "/", type: "ext4", used: 1, total: 2 },
    { mountpoint: "/x", type: "vfat", used: null, total: null },
  ]);
  expect(fileSystems(undefined)).toEqual([]);
});

it("names each user once", () => {
  expect(userNames([{ name: "root" }, { name: "root" }, { name: "debian" }, 7])).toEqual(["root", "debian"]);
});
