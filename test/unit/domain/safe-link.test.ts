import { staysInside } from "@knib/core";
import test from "ava";

test("link › stays inside when it leads down, or up no further than the top", (t) => {
	t.true(staysInside("a", 0));
	t.true(staysInside("./a/b", 0));
	t.true(staysInside("../a", 1));
	t.true(staysInside("../../a", 2));
	t.true(staysInside("..", 1));
});

test("link › leads out by a root, by steps above the top, and by steps up behind another name", (t) => {
	for (const [target, depth] of [
		["/etc/shadow", 5],
		["../a", 0],
		["../../a", 1],
		["a/../../b", 3],
		["a/..", 3],
		["", 1],
		["a\0b", 1],
	] as const) {
		t.false(staysInside(target, depth), target);
	}
});
