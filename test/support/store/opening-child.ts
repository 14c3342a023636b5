// Opens the store in argv[2] and says so, or with which code that was refused. Holds it open until stdin ends.
import { once } from "node:events";
import { KnibError } from "@knib/core";
import { openRxStore } from "@knib/sync";
import { say } from "./in-child.ts";

const [, , dir = ""] = process.argv;
try {
	const store = await openRxStore({ dir, owner: "host-b", onFatal: () => undefined });
	say({ opened: true });
	process.stdin.resume();
	await once(process.stdin, "end");
	await store.close();
} catch (thrown) {
	say({ refused: thrown instanceof KnibError ? thrown.code : String(thrown) });
}
