import { type HostKey, nextKey } from "@knib/sync";
import test from "ava";
import { createOwnKey } from "../../../apps/host-daemon/src/mesh/own-key.ts";
import { aKey, newPrivateKey } from "../../sync/hosts.ts";

const after = (key: HostKey): HostKey => nextKey(key, newPrivateKey());

const own = (key: HostKey) => {
	const told: string[] = [];
	let rotated = 0;
	const ownKey = createOwnKey({
		identity: {
			key: () => key,
			keySince: () => null,
			rotate: async () => {
				rotated += 1;
			},
		},
		now: () => "2026-01-02T03:04:05.000Z",
		onRotated: async () => undefined,
		onProblem: (words) => told.push(words),
	});
	return { ownKey, told, rotations: () => rotated };
};

test("own key › a later key that it has signed for is a reason not to go on with it", async (t) => {
	const key = after(aKey());
	const { ownKey, told, rotations } = own(key);
	const later = after(after(key));
	ownKey.hear(later.succession);
	ownKey.hear(later.succession);
	t.is(told.length, 1);
	t.regex(
		ownKey.problem() ?? "",
		/key 2 of this host was replaced by key 4.*identity\.pem.*peer remove/,
	);
	await t.throwsAsync(ownKey.rotate(), { code: "REFUSED" });
	t.is(rotations(), 0);
});

test("own key › what is not proven, of another host, or known is nothing", (t) => {
	const first = aKey();
	const key = after(first);
	const { ownKey, told } = own(key);
	const stranger = aKey();
	const forged = { privateKey: stranger.privateKey, succession: key.succession };
	for (const succession of [
		first.succession,
		key.succession,
		stranger.succession,
		after(after(stranger)).succession,
		after(forged).succession,
		"",
		"nonsense",
	])
		ownKey.hear(succession);
	t.deepEqual(told, []);
	t.is(ownKey.problem(), null);
});

test("own key › keys that branched off are told of, and do not keep it from going on", async (t) => {
	const first = aKey();
	const { ownKey, told, rotations } = own(after(first));
	ownKey.hear(after(first).succession);
	t.is(told.length, 1);
	t.regex(ownKey.problem() ?? "", /keys that it has not.*somebody has an old key/);
	const change = await ownKey.rotate();
	await change.apply();
	t.is(rotations(), 1);
});
