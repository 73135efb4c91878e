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
#define ERRCODE_OUT_OF_ORDER_SEQUENCE	MAKE_SQLSTATE('T','P','0','0','5')
#define ERRCODE_INVALID_PRODUCER_EPOCH	MAKE_SQLSTATE('T','P','0','0','6')

#endif							/* TOPIC_ERRORS_H */
