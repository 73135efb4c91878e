/*-------------------------------------------------------------------------
 *
 * assignor_test.c
 *		Are partitions shared out evenly, and do no more of them move than must?
 *
 * Groups of a random history: members come and go, subscribe to other topics,
 * topics come and grow.  Every assignment is made on top of the one before.
 *
 *-------------------------------------------------------------------------
 */
#include "c.h"

#include "../../src/assignor.h"
#include "tap.h"

#define MAX_MEMBERS		40
#define MAX_TOPICS		6
#define MAX_PARTITIONS	40
#define ROUNDS			2000

/* A group, as a test changes it: members and topics that do not exist now
 * subscribe to nothing and have no partitions. */
typedef struct Group
{
	int			members;
	int			topics;
	int			counts[MAX_TOPICS];
	bool		subscribed[MAX_MEMBERS * MAX_TOPICS];
	int			assigned[MAX_TOPICS * MAX_PARTITIONS];
} Group;

static uint64 random_state = 1;

/* A random number below the limit; the same sequence in every run. */
static int
random_below(int limit)
{
	random_state = random_state * UINT64CONST(6364136223846793005) +
		UINT64CONST(1442695040888963407);
	return (int) ((random_state >> 33) % (uint64) limit);
}

static int
partition_count(const Group *group)
{
	int			count = 0;

	for (int topic = 0; topic < group->topics; topic++)
		count += group->counts[topic];
	return count;
}

static void
assign(Group *group, void (*assignor) (Assignment *))
{
	Assignment	assignment = {
		.topic_count = group->topics,
		.partition_counts = group->counts,
		.member_count = group->members,
		.subscribed = group->subscribed,
		.members = group->assigned
	};

	assignor(&assignment);
}

static bool
is_subscribed(const Group *group, int member, int topic)
{
	return group->subscribed[member * group->topics + topic];
}

static void
count_loads(const Group *group, int *loads)
{
	memset(loads, 0, MAX_MEMBERS * sizeof(int));
	for (int i = 0; i < partition_count(group); i++)
		if (group->assigned[i] != UNASSIGNED)
			loads[group->assigned[i]]++;
}

/* Everything that has a subscriber is assigned, and to one of them. */
static bool
is_complete(const Group *group)
{
	int			partition = 0;

	for (int topic = 0; topic < group->topics; topic++)
	{
		bool		wanted = false;

		for (int member = 0; member < group->members; member++)
			wanted |= is_subscribed(group, member, topic);
		for (int i = 0; i < group->counts[topic]; i++, partition++)
		{
			int			member = group->assigned[partition];

			if (member == UNASSIGNED ? wanted
				: member < 0 || member >= group->members ||
				!is_subscribed(group, member, topic))
				return false;
		}
	}
	return true;
}

/* How many partitions have another member that had one which is still there. */
static int
count_moves(const Group *before, const Group *after)
{
	int			moves = 0;

	for (int i = 0; i < partition_count(after); i++)
		moves += before->assigned[i] != UNASSIGNED &&
			before->assigned[i] != after->assigned[i];
	return moves;
}

/*
 * How many must move, if all subscribe to all topics and `partitions` in all
 * are shared out: those that members have too many of, and those that others
 * have too few of and that nobody else gives up.
 */
static int
needed_moves(const Group *before, int partitions)
{
	int			loads[MAX_MEMBERS];
	int			least = partitions / before->members;
	int			most = least + (partitions % before->members > 0);
	int			surplus = 0;
	int			lack = 0;
	int			unassigned = 0;

	count_loads(before, loads);
	for (int i = 0; i < partitions; i++)
		unassigned += before->assigned[i] == UNASSIGNED;
	for (int member = 0; member < before->members; member++)
	{
		surplus += Max(loads[member] - most, 0);
		lack += Max(least - loads[member], 0);
	}
	return Max(surplus, lack - unassigned);
}

static int
spread(const Group *group)
{
	int			loads[MAX_MEMBERS];
	int			least = PG_INT32_MAX;
	int			most = 0;

	count_loads(group, loads);
	for (int member = 0; member < group->members; member++)
	{
		least = Min(least, loads[member]);
		most = Max(most, loads[member]);
	}
	return most - least;
}

/* Take a member out: the last one gets its number. */
static void
remove_member(Group *group, int member)
{
	int			last = --group->members;

	for (int i = 0; i < partition_count(group); i++)
	{
		if (group->assigned[i] == member)
			group->assigned[i] = UNASSIGNED;
		if (group->assigned[i] == last && last != member)
			group->assigned[i] = member;
	}
	memmove(&group->subscribed[member * group->topics],
			&group->subscribed[last * group->topics],
			group->topics * sizeof(bool));
}

static void
add_member(Group *group, bool to_all)
{
	int			member = group->members++;

	for (int topic = 0; topic < group->topics; topic++)
		group->subscribed[member * group->topics + topic] =
			to_all || random_below(2) == 0;
}

/* More partitions of a topic. */
static void
grow_topic(Group *group, int topic)
{
	int			room = MAX_PARTITIONS - group->counts[topic];
	int			more = room > 0 ? random_below(room) + 1 : 0;
	int			end = 0;

	for (int i = 0; i <= topic; i++)
		end += group->counts[i];
	memmove(&group->assigned[end + more], &group->assigned[end],
			(partition_count(group) - end) * sizeof(int));
	for (int i = 0; i < more; i++)
		group->assigned[end + i] = UNASSIGNED;
	group->counts[topic] += more;
}

static void
start_group(Group *group, int members, bool to_all)
{
	memset(group, 0, sizeof(Group));
	group->topics = random_below(MAX_TOPICS) + 1;
	for (int topic = 0; topic < group->topics; topic++)
		group->counts[topic] = random_below(MAX_PARTITIONS);
	for (int i = 0; i < MAX_TOPICS * MAX_PARTITIONS; i++)
		group->assigned[i] = UNASSIGNED;
	for (int i = 0; i < members; i++)
		add_member(group, to_all);
}

/* Change something, as happens to groups. */
static void
change_group(Group *group, bool to_all)
{
	int			change = random_below(10);

	if (change == 0)
		grow_topic(group, random_below(group->topics));
	else if (change < 5 && group->members > 1)
		for (int i = random_below(3); i >= 0 && group->members > 1; i--)
			remove_member(group, random_below(group->members));
	else
		for (int i = random_below(3);
			 i >= 0 && group->members < MAX_MEMBERS; i--)
			add_member(group, to_all);
	if (!to_all && random_below(3) == 0)
		group->subscribed[random_below(group->members * group->topics)] ^= true;
}

/* All subscribe to the same topics. */
static void
test_uniform_same_topics(void)
{
	int			incomplete = 0;
	int			uneven = 0;
	int			unneeded = 0;
	int			unsteady = 0;
	Group		group;

	for (int i = 0; i < ROUNDS; i++)
	{
		Group		before;
		Group		again;

		if (i % 50 == 0)
			start_group(&group, random_below(MAX_MEMBERS) + 1, true);
		change_group(&group, true);
		before = group;
		assign(&group, assign_uniform);
		incomplete += !is_complete(&group);
		uneven += spread(&group) > 1;
		unneeded += count_moves(&before, &group) !=
			needed_moves(&before, partition_count(&before));

		again = group;
		assign(&again, assign_uniform);
		unsteady += count_moves(&group, &again) > 0;
		again = before;
		assign(&again, assign_uniform);
		unsteady += memcmp(&again, &group, sizeof(Group)) != 0;
	}
	ok(incomplete == 0, "uniform: every partition has a member");
	ok(uneven == 0, "uniform: members' numbers of partitions differ by one at most");
	ok(unneeded == 0, "uniform: no more partitions move than must");
	ok(unsteady == 0, "uniform: the same group gets the same assignment");
}

/*
 * Sum of the squares of what members have: the less, the more even.  The least
 * there is, by trying everything from this partition on.
 */
static int
least_squares(const Group *group, int partition, int *loads)
{
	int			topic = 0;
	int			end = 0;
	int			least = PG_INT32_MAX;

	if (partition == partition_count(group))
	{
		int			sum = 0;

		for (int member = 0; member < group->members; member++)
			sum += loads[member] * loads[member];
		return sum;
	}
	while ((end += group->counts[topic]) <= partition)
		topic++;
	for (int member = 0; member < group->members; member++)
	{
		if (!is_subscribed(group, member, topic))
			continue;
		loads[member]++;
		least = Min(least, least_squares(group, partition + 1, loads));
		loads[member]--;
	}
	return least < PG_INT32_MAX ? least
		: least_squares(group, partition + 1, loads);
}

/* Small groups whose members subscribe to different topics. */
static void
test_uniform_different_topics(void)
{
	int			incomplete = 0;
	int			uneven = 0;
	int			unsteady = 0;

	for (int i = 0; i < ROUNDS; i++)
	{
		Group		group;
		Group		again;
		int			loads[MAX_MEMBERS] = {0};
		int			squares = 0;

		start_group(&group, random_below(4) + 1, false);
		for (int topic = 0; topic < group.topics; topic++)
			group.counts[topic] = random_below(3);
		for (int j = 0; j < partition_count(&group); j++)
			group.assigned[j] = random_below(group.members + 1) - 1;
		assign(&group, assign_uniform);
		incomplete += !is_complete(&group);

		count_loads(&group, loads);
		for (int member = 0; member < group.members; member++)
			squares += loads[member] * loads[member];
		memset(loads, 0, sizeof(loads));
		uneven += partition_count(&group) <= 8 &&
			squares != least_squares(&group, 0, loads);

		again = group;
		assign(&again, assign_uniform);
		unsteady += count_moves(&group, &again) > 0;
	}
	ok(incomplete == 0, "uniform, different topics: what has a subscriber has a member");
	ok(uneven == 0, "uniform, different topics: as even as can be");
	ok(unsteady == 0, "uniform, different topics: nothing moves if nothing changed");
}

/* Over many changes, also with many members and topics. */
static void
test_uniform_history(void)
{
	int			incomplete = 0;
	int			unsteady = 0;
	Group		group;

	for (int i = 0; i < ROUNDS; i++)
	{
		Group		again;

		if (i % 50 == 0)
			start_group(&group, random_below(MAX_MEMBERS) + 1, false);
		change_group(&group, false);
		assign(&group, assign_uniform);
		incomplete += !is_complete(&group);
		again = group;
		assign(&again, assign_uniform);
		unsteady += count_moves(&group, &again) > 0;
	}
	ok(incomplete == 0, "uniform, over time: what has a subscriber has a member");
	ok(unsteady == 0, "uniform, over time: nothing moves if nothing changed");
}

/* Two topics that all subscribe to: each is spread, not one topic a member. */
static void
test_uniform_spreads_topics(void)
{
	Group		group = {.members = 1,.topics = 2,.counts = {16, 16}};
	int			first = 0;

	memset(group.subscribed, true, sizeof(group.subscribed));
	memset(group.assigned, 0xff, sizeof(group.assigned));
	assign(&group, assign_uniform);
	group.members = 2;
	assign(&group, assign_uniform);
	for (int i = 0; i < 16; i++)
		first += group.assigned[i] == 0;
	ok(first == 8, "uniform: a member that joins gets partitions of each topic");
}

static bool
check_range(const char *name, Group *group, const int *expected)
{
	assign(group, assign_range);
	if (ok(memcmp(group->assigned, expected,
				  partition_count(group) * sizeof(int)) == 0,
		   "range: %s", name))
		return true;
	for (int i = 0; i < partition_count(group); i++)
		diag("partition %d: member %d, not %d", i, group->assigned[i],
			 expected[i]);
	return false;
}

static void
test_range(void)
{
	static const int alike[] = {0, 0, 0, 1, 1, 1, 2, 2, 0, 0, 0, 1, 1, 1, 2, 2};
	static const int few[] = {0, 0, 0, 1, 1, 1, 2, 2, 0, 1};
	static const int last_ones[] = {0, 0, 0, 1, 1, 1, 2, 2, 2, 2};
	static const int nobodys[] = {0, 0, 0, 1, 1, 1, 2, 2, UNASSIGNED, UNASSIGNED};
	static const int none[] = {UNASSIGNED, UNASSIGNED};
	Group		group = {.members = 3,.topics = 2,.counts = {8, 8}};

	memset(group.subscribed, true, sizeof(group.subscribed));
	check_range("topics alike are partitioned alike", &group, alike);
	group.counts[1] = 2;
	check_range("fewer partitions than members", &group, few);

	/* The second topic is only the last one's. */
	group.subscribed[1] = group.subscribed[3] = false;
	check_range("only subscribers", &group, last_ones);
	group.subscribed[5] = false;
	check_range("nobody's topic", &group, nobodys);

	group.members = 0;
	group.counts[0] = 0;
	check_range("no members", &group, none);
}

int
main(void)
{
	test_uniform_same_topics();
	test_uniform_different_topics();
	test_uniform_history();
	test_uniform_spreads_topics();
	test_range();
	return tap_done();
}
