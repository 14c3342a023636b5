import type { Member, PeerView } from "@knib/core";
import test from "ava";
import { createPeerViews } from "../../../apps/host-daemon/src/mesh/peer-views.ts";

const NOW = "2026-01-02T03:04:05.000Z";
const BEFORE = "2026-01-02T02:00:00.000Z";
const NONE = { clock: 0, schema: 0, signature: 0, size: 0, writer: 0 };
const MEMBER: Member = {
	...{ id: "a".repeat(64), name: "a", address: "192.0.2.1:7700", role: "operator" },
	...{ removed: false, keySince: null, successions: [] },
};

/** How a host of which 12 documents were not read when the link was last open is shown. */
const shown = (of: { kept: boolean; open: boolean; removed?: boolean }): PeerView =>
	createPeerViews({
		mesh: {
			connected: () => (of.open ? [MEMBER.id] : []),
			lag: () => ({ documents: 12, oldestAt: Date.parse(BEFORE) }),
			counts: () => ({ accepted: 0, dropped: NONE, garbage: 0, unexpected: 0 }),
			skew: () => undefined,
		},
		seen: { at: () => BEFORE },
		keys: { known: () => undefined },
		keeps: () => of.kept,
		now: () => NOW,
	}).view({ ...MEMBER, removed: of.removed ?? false });

test("peers shown › calls one whose link is kept and away reconnecting, and says how far it is behind", (t) => {
	const { state, kept, lagDocuments, lagMs, lastSeen } = shown({ kept: true, open: false });
	t.deepEqual(
		{ state, kept, lagDocuments, lagMs, lastSeen },
		{ state: "reconnecting", kept: true, lagDocuments: 12, lagMs: 3_845_000, lastSeen: BEFORE },
	);
});

test("peers shown › does not call one reconnecting that no link is kept to, nor guess what it has read from others", (t) => {
	const { state, kept, lagDocuments, lagMs, lastSeen } = shown({ kept: false, open: false });
	t.deepEqual(
		{ state, kept, lagDocuments, lagMs, lastSeen },
		{ state: "through-others", kept: false, lagDocuments: null, lagMs: null, lastSeen: BEFORE },
	);
});

test("peers shown › calls one connected that has called here though no link to it is kept", (t) => {
	const { state, kept, lagDocuments, lastSeen } = shown({ kept: false, open: true });
	t.deepEqual(
		{ state, kept, lagDocuments, lastSeen },
		{ state: "connected", kept: false, lagDocuments: 12, lastSeen: NOW },
	);
});

test("peers shown › calls one removed that was, whatever else holds", (t) => {
	t.is(shown({ kept: true, open: true, removed: true }).state, "removed");
	t.false(shown({ kept: true, open: true, removed: true }).kept);
});
