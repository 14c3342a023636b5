import type { RestoreItem } from "@knib/core";
import fc from "fast-check";

/** An entry of a restore plan, as far as its order goes. */
export const item = (name: string, after: readonly string[] = [], priority = 100): RestoreItem => ({
	name,
	after,
	priority,
});

/** Plans without cycles: each entry may be after any that comes before it in some order, and all stand in another. */
export const anyPlan: fc.Arbitrary<readonly RestoreItem[]> = fc
	.array(fc.record({ priority: fc.nat({ max: 4 }), picks: fc.array(fc.nat(), { maxLength: 3 }) }), {
		maxLength: 12,
	})
	.map((drawn) =>
		drawn.map(({ priority, picks }, index) => {
			const after = index === 0 ? [] : picks.map((pick) => `e${pick % index}`);
			return item(`e${index}`, [...new Set(after)], priority);
		}),
	)
	.chain((items) => fc.shuffledSubarray(items, { minLength: items.length }));
