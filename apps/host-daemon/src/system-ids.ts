import { randomBytes } from "node:crypto";
import type { IdSource } from "@knib/core";
import { v7 } from "uuid";

/** Ids in the order of time, and random bytes from the kernel. */
export const systemIds: IdSource = {
	uuid: () => v7(),
	random: (bytes) => randomBytes(bytes).toString("hex"),
};
