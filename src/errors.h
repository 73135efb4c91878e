/*-------------------------------------------------------------------------
 *
 * errors.h
 *		SQLSTATEs for conditions that Kafka knows and SQL does not: class TP,
 *		each named as the error of the Kafka protocol.
 *
 * Everything that the SQL standard or PostgreSQL has a code for uses that
 * code.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_ERRORS_H
#define TOPIC_ERRORS_H

#define ERRCODE_OFFSET_OUT_OF_RANGE		MAKE_SQLSTATE('T','P','0','0','1')
#define ERRCODE_ILLEGAL_GENERATION		MAKE_SQLSTATE('T','P','0','0','2')
#define ERRCODE_UNKNOWN_MEMBER_ID		MAKE_SQLSTATE('T','P','0','0','3')
#define ERRCODE_FENCED_INSTANCE_ID		MAKE_SQLSTATE('T','P','0','0','4')
#define ERRCODE_OUT_OF_ORDER_SEQUENCE	MAKE_SQLSTATE('T','P','0','0','5')
#define ERRCODE_INVALID_PRODUCER_EPOCH	MAKE_SQLSTATE('T','P','0','0','6')
#define ERRCODE_NON_EMPTY_GROUP			MAKE_SQLSTATE('T','P','0','0','7')

#endif							/* TOPIC_ERRORS_H */
