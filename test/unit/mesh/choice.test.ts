import { createHash } from "node:crypto";
import { keptPeers } from "@knib/core";
import test from "ava";
import { createChoice, LOOKS_UNTIL_UNREACHED } from "../../../apps/host-daemon/src/mesh/choice.ts";

const HOSTS = Array.from({ length: 30 }, (_, at) =>
	createHash("sha256").update(`host ${at}`).digest("hex"),
);
const [SELF = "", ...OTHERS] = HOSTS;
const BASE = [...keptPeers(SELF, HOSTS)];
const [LOST = "", ...REACHED] = BASE;

const looks = (choice: ReturnType<typeof createChoice>, connected: readonly string[]): void => {
	for (let n = 0; n < LOOKS_UNTIL_UNREACHED; n += 1) choice.look(OTHERS, connected);
};
const kept = (choice: ReturnType<typeof createChoice>): readonly string[] =>
	OTHERS.filter(choice.keeps);

test("choice of peers › keeps what the topology gives", (t) => {
	const choice = createChoice(SELF);
	choice.choose(OTHERS);
	t.deepEqual([...kept(choice)].sort(), [...BASE].sort());
	t.false(OTHERS.some(choice.standsIn));
});

test("choice of peers › takes others for one that is not reached, goes on trying it, and comes back", (t) => {
	const choice = createChoice(SELF);
	choice.choose(OTHERS);
	looks(choice, REACHED);
	t.true(choice.keeps(LOST));
	const others = OTHERS.filter(choice.standsIn);
	t.true(others.length > 0 && others.every((id) => !BASE.includes(id)));
	choice.look(OTHERS, BASE);
	t.deepEqual([...kept(choice)].sort(), [...BASE].sort());
});

test("choice of peers › tries all in the end when nobody is reached", (t) => {
	const choice = createChoice(SELF);
	choice.choose(OTHERS);
	for (let n = 0; n < OTHERS.length; n += 1) looks(choice, []);
	t.is(kept(choice).length, OTHERS.length);
});
