import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.UUID;

/** How Java's values go into the calls: JDBC. The arguments are the URL and a name. */
public class Calls {
    private final Connection connection;

    private Calls(Connection connection) {
        this.connection = connection;
    }

    public static void main(String[] args) throws SQLException {
        try (Connection connection = DriverManager.getConnection(args[0])) {
            new Calls(connection).run(args[1]);
        }
    }

    private void run(String name) throws SQLException {
        var key = UUID.fromString("0190163d-8694-739b-aea5-966c26f8ad91");
        call("SELECT topic.produce('calls', ?, key => ?)", "hello", name);
        call("SELECT topic.produce('calls', ?::jsonb, key => ?, headers => ?::jsonb)",
                "{\"total\": 20}", 42L, "{\"source\": \"web\"}");
        call("SELECT topic.produce('calls', ?, key => ?)", "no key", null);
        call("SELECT topic.produce('calls', ?, key => ?)", null, key);
        call("SELECT topic.produce('calls', ?, key => ?)", bytes("bytes"), bytes("key"));
        call("SELECT * FROM topic.produce_batch('calls', ?, keys => ?)",
                new String[] {"a", "b"}, new String[] {name, null});
        call("SELECT * FROM topic.produce_batch('calls', ?::jsonb[])",
                (Object) new String[] {"{\"total\": 1}", "{\"total\": 2}"});
        call("SELECT * FROM topic.produce_batch('calls', ?)", (Object) new String[] {});
    }

    private void call(String query, Object... parameters) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(query)) {
            for (int i = 0; i < parameters.length; i++) {
                statement.setObject(i + 1, parameters[i]);
            }
            statement.execute();
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
