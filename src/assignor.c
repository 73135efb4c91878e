/*-------------------------------------------------------------------------
 *
 * assignor.c
 *		Which member of a group gets which partitions.
 *
 * The uniform assignor begins with the partitions that members have and may
 * keep, and gives those that nobody has to whoever has the fewest.  Then it
 * moves one partition after the other from a member who has many to one who
 * has at least two fewer, as long as there are such.
 *
 * Where members subscribe to different topics, the one who has many may have
 * nothing that the other one wants, and yet there is a way over others who
 * pass on one partition each.  These ways are searched breadth first, so that
 * the shortest one is found, from whoever has the most.  (Harvey, Ladner,
 * Lovasz, Tamir: Semi-matchings for bipartite graphs and load balancing: an
 * assignment without such a way is as balanced as it can be.)
 *
 * If none leads away from a member, none will later.  All members that can be
 * reached from there have then at most one partition fewer.  A way that is
 * found later begins with somebody who has no more than that member, and ends
 * with somebody who has two fewer still; so it goes nowhere near them, and
 * changes nothing there.
 *
 *-------------------------------------------------------------------------
 */
#include "standalone.h"

#include "assignor.h"

typedef struct Balancer
{
	Assignment *assignment;
	int		   *first_partitions;	/* of each topic */
	int		   *loads;			/* partitions that a member has */
	int		   *topic_loads;	/* of each topic: member * topic_count + topic */
	bool	   *stuck;			/* members that cannot pass on a partition */

	/* The search. */
	int		   *queue;			/* members in the order of their discovery */
	int		   *from_member;	/* who passes on a partition to a member */
	int		   *from_topic;		/* and of which topic */
	bool	   *topic_searched;
} Balancer;

static inline int
member_topic(const Assignment *assignment, int member, int topic)
{
	return member * assignment->topic_count + topic;
}

static inline bool
is_subscribed(const Assignment *assignment, int member, int topic)
{
	return assignment->subscribed[member_topic(assignment, member, topic)];
}

static void *
allocate_zeroed(int count, size_t size)
{
	void	   *memory = palloc(Max(count, 1) * size);

	memset(memory, 0, Max(count, 1) * size);
	return memory;
}

static void
balancer_init(Balancer *balancer, Assignment *assignment)
{
	int			members = assignment->member_count;
	int			topics = assignment->topic_count;
	int			partition = 0;

	balancer->assignment = assignment;
	balancer->first_partitions = allocate_zeroed(topics, sizeof(int));
	for (int topic = 0; topic < topics; topic++)
	{
		balancer->first_partitions[topic] = partition;
		partition += assignment->partition_counts[topic];
	}
	balancer->loads = allocate_zeroed(members, sizeof(int));
	balancer->topic_loads = allocate_zeroed(members * topics, sizeof(int));
	balancer->stuck = allocate_zeroed(members, sizeof(bool));
	balancer->queue = allocate_zeroed(members, sizeof(int));
	balancer->from_member = allocate_zeroed(members, sizeof(int));
	balancer->from_topic = allocate_zeroed(members, sizeof(int));
	balancer->topic_searched = allocate_zeroed(topics, sizeof(bool));
}

static void
balancer_free(Balancer *balancer)
{
	pfree(balancer->first_partitions);
	pfree(balancer->loads);
	pfree(balancer->topic_loads);
	pfree(balancer->stuck);
	pfree(balancer->queue);
	pfree(balancer->from_member);
	pfree(balancer->from_topic);
	pfree(balancer->topic_searched);
}

static inline int *
topic_load(Balancer *balancer, int member, int topic)
{
	return &balancer->topic_loads[member_topic(balancer->assignment, member,
											   topic)];
}

/* Who has each partition of a topic. */
static inline int *
topic_members(Balancer *balancer, int topic)
{
	return balancer->assignment->members + balancer->first_partitions[topic];
}

static void
give(Balancer *balancer, int topic, int partition, int member)
{
	int		   *members = topic_members(balancer, topic);

	if (members[partition] != UNASSIGNED)
	{
		balancer->loads[members[partition]]--;
		(*topic_load(balancer, members[partition], topic))--;
	}
	members[partition] = member;
	balancer->loads[member]++;
	(*topic_load(balancer, member, topic))++;
}

/* Members keep what they may, and nothing else counts as theirs. */
static void
keep_partitions(Balancer *balancer)
{
	Assignment *assignment = balancer->assignment;

	for (int topic = 0; topic < assignment->topic_count; topic++)
	{
		int		   *members = topic_members(balancer, topic);

		for (int i = 0; i < assignment->partition_counts[topic]; i++)
		{
			int			member = members[i];

			members[i] = UNASSIGNED;
			if (member != UNASSIGNED && is_subscribed(assignment, member, topic))
				give(balancer, topic, i, member);
		}
	}
}

/*
 * The subscriber of a topic that has the fewest partitions, and among those,
 * the fewest of this topic.
 */
static int
least_loaded_subscriber(Balancer *balancer, int topic)
{
	Assignment *assignment = balancer->assignment;
	int			least = UNASSIGNED;

	for (int member = 0; member < assignment->member_count; member++)
	{
		if (!is_subscribed(assignment, member, topic))
			continue;
		if (least == UNASSIGNED ||
			balancer->loads[member] < balancer->loads[least] ||
			(balancer->loads[member] == balancer->loads[least] &&
			 *topic_load(balancer, member, topic) <
			 *topic_load(balancer, least, topic)))
			least = member;
	}
	return least;
}

/* Partitions that nobody has; a few of each topic at a time, to spread them. */
static void
give_unassigned(Balancer *balancer)
{
	Assignment *assignment = balancer->assignment;
	bool		more = true;

	for (int i = 0; more; i++)
	{
		more = false;
		for (int topic = 0; topic < assignment->topic_count; topic++)
		{
			int			member;

			if (i >= assignment->partition_counts[topic])
				continue;
			more = true;
			if (topic_members(balancer, topic)[i] != UNASSIGNED)
				continue;
			member = least_loaded_subscriber(balancer, topic);
			if (member != UNASSIGNED)
				give(balancer, topic, i, member);
		}
	}
}

/* Who has the most partitions, of those who may be able to pass one on. */
static int
most_loaded(Balancer *balancer)
{
	int			most = UNASSIGNED;

	for (int member = 0; member < balancer->assignment->member_count; member++)
		if (!balancer->stuck[member] &&
			(most == UNASSIGNED ||
			 balancer->loads[member] > balancer->loads[most]))
			most = member;
	return most;
}

/* The fewest partitions that a member has. */
static int
fewest_partitions(Balancer *balancer)
{
	int			fewest = balancer->loads[0];

	for (int member = 1; member < balancer->assignment->member_count; member++)
		fewest = Min(fewest, balancer->loads[member]);
	return fewest;
}

/*
 * Reach those to whom a member could pass on a partition.  Of the topics that
 * lead to the same member, that one is taken of which it lacks the most.
 */
static void
reach_neighbours(Balancer *balancer, int member, int *reached)
{
	Assignment *assignment = balancer->assignment;

	for (int topic = 0; topic < assignment->topic_count; topic++)
	{
		if (*topic_load(balancer, member, topic) == 0 ||
			balancer->topic_searched[topic])
			continue;
		balancer->topic_searched[topic] = true;
		for (int other = 0; other < assignment->member_count; other++)
		{
			int			old = balancer->from_topic[other];

			if (!is_subscribed(assignment, other, topic))
				continue;
			if (balancer->from_member[other] == UNASSIGNED)
				balancer->queue[(*reached)++] = other;
			else if (balancer->from_member[other] != member ||
					 *topic_load(balancer, member, topic) -
					 *topic_load(balancer, other, topic) <=
					 *topic_load(balancer, member, old) -
					 *topic_load(balancer, other, old))
				continue;
			balancer->from_member[other] = member;
			balancer->from_topic[other] = topic;
		}
	}
}

/*
 * The member with the fewest partitions to whom one can be passed on, over
 * others if need be: the nearest of them.  Nobody has fewer than `fewest`.
 */
static int
search_from(Balancer *balancer, int member, int fewest)
{
	Assignment *assignment = balancer->assignment;
	int			reached = 0;
	int			least = member;

	for (int i = 0; i < assignment->member_count; i++)
		balancer->from_member[i] = UNASSIGNED;
	memset(balancer->topic_searched, 0,
		   assignment->topic_count * sizeof(bool));

	balancer->queue[reached++] = member;
	balancer->from_member[member] = member;
	balancer->from_topic[member] = 0;
	for (int i = 0; i < reached; i++)
	{
		int			next = balancer->queue[i];

		if (balancer->loads[next] < balancer->loads[least])
			least = next;
		if (balancer->loads[least] == fewest)
			break;
		reach_neighbours(balancer, next, &reached);
	}
	return least;
}

/* The last partition of a topic that a member has. */
static int
last_partition(Balancer *balancer, int topic, int member)
{
	int		   *members = topic_members(balancer, topic);
	int			partition =
		balancer->assignment->partition_counts[topic] - 1;

	while (members[partition] != member)
		partition--;
	return partition;
}

/* Each member on the way that was found passes on one partition. */
static void
pass_on(Balancer *balancer, int from, int to)
{
	for (int member = to; member != from;)
	{
		int			giver = balancer->from_member[member];
		int			topic = balancer->from_topic[member];

		give(balancer, topic, last_partition(balancer, topic, giver), member);
		member = giver;
	}
}

void
assign_uniform(Assignment *assignment)
{
	Balancer	balancer;
	int			from;

	balancer_init(&balancer, assignment);
	keep_partitions(&balancer);
	give_unassigned(&balancer);
	while ((from = most_loaded(&balancer)) != UNASSIGNED)
	{
		int			fewest = fewest_partitions(&balancer);
		int			to;

		/* Nobody is left who has two partitions more than anybody. */
		if (balancer.loads[from] - fewest < 2)
			break;
		to = search_from(&balancer, from, fewest);
		if (balancer.loads[from] - balancer.loads[to] >= 2)
			pass_on(&balancer, from, to);
		else
			balancer.stuck[from] = true;
	}
	balancer_free(&balancer);
}

void
assign_range(Assignment *assignment)
{
	int		   *members = assignment->members;

	for (int topic = 0; topic < assignment->topic_count; topic++)
	{
		int			partitions = assignment->partition_counts[topic];
		int			subscribers = 0;
		int			given = 0;
		int			rank = 0;

		for (int member = 0; member < assignment->member_count; member++)
			subscribers += is_subscribed(assignment, member, topic);

		for (int member = 0; member < assignment->member_count; member++)
		{
			int			share;

			if (!is_subscribed(assignment, member, topic))
				continue;

			/* The first ones get what cannot be divided. */
			share = partitions / subscribers +
				(rank < partitions % subscribers ? 1 : 0);
			for (int i = 0; i < share; i++)
				members[given++] = member;
			rank++;
		}
		while (given < partitions)
			members[given++] = UNASSIGNED;
		members += partitions;
	}
}
