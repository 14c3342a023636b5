import {
	type ChoiceFacts,
	type ChoiceRefusal,
	chooseRepository,
	isRefusal,
	judgeSelectors,
	type RepositoryChoice,
	type RepositoryLook,
	repositoriesInQuestion,
	type Selector,
	type SelectorCondition,
} from "@knib/core";
import test from "ava";
import fc from "fast-check";

const HOST = "ab".repeat(32);
const id = (n: number): string => `0196f000-0000-7000-8000-${String(n).padStart(12, "0")}`;
const when = (by: SelectorCondition["by"], value: string): SelectorCondition => ({ by, value });

const aSelector = (n: number, override: Partial<Selector> = {}): Selector => ({
	id: id(n),
	name: `s${n}`,
	match: [when("name", "web*")],
	repository: id(101),
	priority: 100,
	createdAt: "2026-01-01T00:00:00.000Z",
	...override,
});

const facts = (override: Partial<ChoiceFacts> = {}): ChoiceFacts => ({
	vm: { name: "web01", tags: ["prod", "db"] },
	host: { id: HOST },
	offering: { id: id(900), name: "default" },
	selectors: [],
	repositories: [
		{ id: id(100), name: "main", default: true },
		{ id: id(101), name: "nas", default: false },
		{ id: id(102), name: "roomy", default: true },
	],
	minimumFree: 5,
	...override,
});

const ready = (free: number): RepositoryLook => ({
	...{ capacity: 1000, free, state: "ready" },
	error: null,
});
const gone: RepositoryLook = {
	...{ capacity: 0, free: 0, state: "unreachable" },
	error: { code: "REPOSITORY_UNREACHABLE", message: "/mnt is not there", details: {} },
};
const looks =
	(found: Readonly<Record<string, RepositoryLook>>) =>
	(wanted: string): RepositoryLook =>
		found[wanted] ?? ready(wanted === id(102) ? 900 : 500);
const fine = looks({});

const chosen = (choice: RepositoryChoice | ChoiceRefusal): readonly [string, string] =>
	isRefusal(choice) ? [choice.code, choice.message] : [choice.repository.name, choice.reason];

test("chooseRepository › without a selector the default one with the most free space", (t) => {
	t.deepEqual(chosen(chooseRepository(facts(), fine)), [
		"roomy",
		"the default repository with the most free space (0.0 GiB free)",
	]);
	const one = looks({ [id(102)]: gone });
	t.is(chosen(chooseRepository(facts(), one))[0], "main");
	const none = looks({ [id(102)]: gone, [id(100)]: ready(10) });
	t.deepEqual(chosen(chooseRepository(facts(), none)), [
		"REPOSITORY_NO_SPACE",
		"no default repository can take a new chain: main has less than 5 % free; roomy is unreachable",
	]);
	t.is(chosen(chooseRepository(facts({ repositories: [] }), fine))[0], "REFUSED");
});

test("chooseRepository › an only default repository says itself what is wrong with it", (t) => {
	const repositories = [{ id: id(100), name: "main", default: true }];
	const choice = chooseRepository(facts({ repositories }), () => gone);
	t.deepEqual(chosen(choice), ["REPOSITORY_UNREACHABLE", "/mnt is not there"]);
});

test("chooseRepository › a selector goes before the default, an offering's repository before both", (t) => {
	const selectors = [aSelector(1)];
	t.regex(chosen(chooseRepository(facts({ selectors }), fine)).join(), /^nas,selector s1 names it/);
	const offering = { id: id(900), name: "gold", repository: id(100) };
	t.deepEqual(chosen(chooseRepository(facts({ selectors, offering }), fine)), [
		"main",
		"offering gold names it",
	]);
	t.deepEqual(repositoriesInQuestion(facts({ selectors, offering })), []);
});

for (const [title, match, matches] of [
	["a name pattern", [when("name", "web??")], true],
	["another name", [when("name", "db*")], false],
	["a tag", [when("tag", "prod")], true],
	["a part of a tag", [when("tag", "pro")], false],
	["a tag is no pattern", [when("tag", "pro*")], false],
	["two tags", [when("tag", "prod"), when("tag", "db")], true],
	["one tag of two", [when("tag", "prod"), when("tag", "test")], false],
	["this host", [when("host", HOST)], true],
	["another host", [when("host", "cd".repeat(32))], false],
	["its offering", [when("offering", id(900))], true],
	["another offering", [when("offering", id(901))], false],
	["all kinds", [when("name", "*"), when("host", HOST), when("offering", id(900))], true],
] as const) {
	test(`judgeSelectors › ${title} ${matches ? "matches" : "does not match"}`, (t) => {
		const [verdict] = judgeSelectors(facts({ selectors: [aSelector(1, { match: [...match] })] }));
		t.is(verdict?.matches, matches);
		t.is(
			verdict?.conditions.every(({ holds }) => holds),
			matches,
		);
	});
}

for (const [title, look, code, words] of [
	["does not answer", gone, "REPOSITORY_UNREACHABLE", /is not there/],
	["is full", ready(10), "REPOSITORY_NO_SPACE", /nas has less than 5 % free/],
] as const) {
	test(`chooseRepository › nothing else is chosen where a selector's repository ${title}`, (t) => {
		const choice = chooseRepository(
			facts({ selectors: [aSelector(1), aSelector(2, { repository: id(100) })] }),
			looks({ [id(101)]: look }),
		);
		const [found, message] = chosen(choice);
		t.is(found, code);
		t.regex(message, /^selector s1 names repository nas, which cannot take a new chain: /);
		t.regex(message, words);
		t.deepEqual(isRefusal(choice) ? choice.about : [], [id(101)]);
	});
}

test("chooseRepository › a selector's repository that this host does not have is refused with both ways out", (t) => {
	const choice = chooseRepository(
		facts({ selectors: [aSelector(1, { repository: id(999) })] }),
		fine,
	);
	t.regex(chosen(choice).join(), /^REFUSED,selector s1 names a repository that this host/);
	t.regex(String(isRefusal(choice) && choice.details["hint"]), /repository add.*selector explain/);
});

test("chooseRepository › whatever the order of the documents, the first that matches by priority, name and id", (t) => {
	const selector = fc.record({
		id: fc.integer({ min: 1, max: 50 }).map(id),
		name: fc.constantFrom("a", "b", "c"),
		priority: fc.integer({ min: 0, max: 3 }),
		repository: fc.constantFrom(id(100), id(101), id(102)),
		match: fc.constantFrom([when("name", "web*")], [when("tag", "prod")], [when("name", "db*")]),
	});
	const distinct = fc.uniqueArray(selector, { selector: (one) => one.id, maxLength: 12 });
	fc.assert(
		fc.property(distinct, fc.infiniteStream(fc.nat()), (some, order) => {
			const all = some.map((one) => aSelector(0, { ...one, match: [...one.match] }));
			const keys = new Map(all.map((one) => [one, order.next().value ?? 0]));
			const shuffled = all.toSorted((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
			const one = chooseRepository(facts({ selectors: all }), fine);
			t.deepEqual(chooseRepository(facts({ selectors: shuffled }), fine), one);
			const key = ({ priority, name, id }: Selector) => `${priority}/${name}/${id}`;
			const matching = all.filter(({ match }) => match[0]?.value !== "db*");
			const [first] = matching.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
			t.is(isRefusal(one) ? "" : one.repository.id, first?.repository ?? id(102));
		}),
	);
});
