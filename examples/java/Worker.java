import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * A worker with JDBC: flights become rows of the table arrival. The argument is the URL of the
 * database.
 */
public class Worker {
    private static final String CONSUME = """
        SELECT partition, record_offset, key, value ->> 'destination', (value ->> 'delay')::int
        FROM topic.consume_json('arrivals', 'flights', max_records => 250)
        """;

    public static void main(String[] args) throws InterruptedException, SQLException {
        while (true) {
            try {
                work(args[0]);
            } catch (SQLException e) {
                if (!isTransient(e)) {
                    throw e;
                }
                System.err.println(e.getSQLState() + " " + e.getMessage());
                Thread.sleep(500);
            }
        }
    }

    /** Any error closes the connection, which rolls back. */
    private static void work(String url) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            while (true) {
                connection.setAutoCommit(true);
                statement.execute("CALL topic.wait_for_records('arrivals', 'flights')");
                connection.setAutoCommit(false);
                handleBatch(connection, statement);
            }
        }
    }

    /** Consume, write and commit the offsets, in one transaction. */
    private static void handleBatch(Connection connection, Statement statement)
            throws SQLException {
        statement.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
        try (ResultSet batch = statement.executeQuery(CONSUME);
                PreparedStatement insert =
                        connection.prepareStatement("INSERT INTO arrival VALUES (?, ?, ?, ?, ?)")) {
            while (batch.next()) {
                insert.setInt(1, batch.getInt(1));
                insert.setLong(2, batch.getLong(2));
                insert.setString(3, batch.getString(3));
                insert.setString(4, batch.getString(4));
                insert.setInt(5, batch.getInt(5));
                insert.addBatch();
            }
            insert.executeBatch();
        }
        statement.execute("SELECT * FROM topic.commit('arrivals', 'flights')");
        connection.commit();
    }

    /** 40001, a deadlock, 55P03, a timeout; or the connection broke, or could not be made. */
    private static boolean isTransient(SQLException e) {
        return e.getSQLState() != null && e.getSQLState().matches("(08|40|53|57|55P03).*");
    }
}
